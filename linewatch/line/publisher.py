"""What the line tells the outside: decisions, heartbeats and events, to observers and actuators."""

from pathlib import Path

import zmq

from linewatch.core.messages import Decision, Note
from linewatch.core.station import Station
from linewatch.core.wire import HEARTBEAT_NS, VERSION, Belt, Heartbeat, Status, event, wire_decision
from linewatch.line.actuator_link import ActuatorLink
from linewatch.line.admission import Admission
from linewatch.line.endpoints import bind, needs_keys
from linewatch.line.line_keys import line_keys
from linewatch.line.observers import Observers


class Publisher:
    """Both sockets of one run. Times are monotonic nanoseconds, given by the caller.

    station, run: as given. endpoints: as bound, observers first. admission: to those on tcp, none when neither is
    guarded.
    """

    def __init__(self, station: Station, run: str, runtime: Path) -> None:
        """Binds the sockets. Raises StationError, EndpointError."""
        self.station = station
        self.run = run
        keys = line_keys(station)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.admission = None if keys is None else Admission(self._context, keys)
        self.observers = Observers(self._context, station.name)
        self.actuators = ActuatorLink(self._context, station.name, run)
        self._opening: list[Note] = []
        self._beat_ns = 0
        try:
            self.endpoints = (
                self._bound("observers", self.observers.socket, runtime),
                self._bound("actuators", self.actuators.socket, runtime),
            )
        except BaseException:
            self.close()
            raise

    def decide(self, decision: Decision, now_ns: int) -> None:
        """Send a decision to everybody; actuators first, they have a part to catch."""
        message = wire_decision(decision, self.station.detector.model.name, self.station.recipe)
        self.actuators.decide(message, now_ns)
        self.observers.send(message)

    def beat(self, decided_up_to: int, progress: int, now_ns: int) -> bool:
        """Send the heartbeat if it is due; true when it was sent."""
        if now_ns < self._beat_ns:
            return False
        self._beat_ns = now_ns + HEARTBEAT_NS
        heartbeat = Heartbeat(
            v=VERSION, station=self.station.name, run=self.run, seq=decided_up_to, progress=progress, t_ns=now_ns
        )
        self.observers.send(heartbeat)
        self.actuators.beat(heartbeat)
        return True

    def belt(self, count: int, t_ns: int, trouble: str) -> None:
        """Tell actuators where the belt stands, since the run began, as the gate said at `t_ns`."""
        where = Belt(v=VERSION, station=self.station.name, run=self.run, count=count, t_ns=t_ns, trouble=trouble)
        self.actuators.belt(where)

    def tell_status(self, status: Status) -> None:
        """Send how the line stands, to observers alone: no actuator need understand it."""
        self.observers.send(status)

    def say(self, note: Note, now_ns: int) -> None:
        """Publish a note as an event."""
        self.observers.send(event(self.station.name, self.run, note.kind, note.text, note.seq, now_ns))

    def repeat_to_newcomers(self, notes: list[Note]) -> None:
        """Say these again whenever a new observer asks for events."""
        self._opening = notes

    def welcome_observers(self, now_ns: int) -> None:
        """Take new subscriptions and repeat to them how the run opened."""
        if self.observers.new_listeners():
            for note in self._opening:
                self.say(note, now_ns)

    def tick(self, now_ns: int) -> list[Note]:
        """Repeat to actuators what they have not acknowledged, let clients in and throw revoked ones out."""
        admitted = [] if self.admission is None else self.admission.tick(now_ns)
        return [*self.actuators.tick(now_ns), *admitted]

    def next_due_ns(self) -> int:
        """When `beat`, or the `tick` of actuators or admission, has something to do."""
        admission_ns = self._beat_ns if self.admission is None else self.admission.next_due_ns()
        return min(self._beat_ns, self.actuators.next_due_ns() or self._beat_ns, admission_ns)

    def close(self) -> None:
        """Close both; what waits to be sent gets a moment."""
        if self.admission is not None:
            self.admission.close()
        self.observers.close()
        self.actuators.close()
        self._context.term()

    def _bound(self, key: str, socket: "zmq.Socket[bytes]", runtime: Path) -> str:
        endpoints = self.station.endpoints
        if self.admission is not None and needs_keys(getattr(endpoints, key), endpoints.plaintext):
            self.admission.guard(key, socket)
        return bind(socket, key, endpoints, runtime)
