"""Who may connect over tcp: clients whose key lies in `allowed/`, and nobody else.

libzmq asks the REP socket here about every client (ZAP), and a monitor of each guarded socket tells of handshakes that
fail before a key is known. All of them are polled by the line's one loop; there is no thread.
"""

from collections.abc import Callable
from functools import partial

import zmq

from linewatch.core.curve import Socket
from linewatch.core.keyfiles import key_text
from linewatch.core.messages import Note
from linewatch.line import zap
from linewatch.line.door import Door
from linewatch.line.line_keys import LineKeys
from linewatch.line.refusals import Refusals

LOOK_NS = 250_000_000  # between two looks whether `allowed/` has changed
REOPEN_NS = 5_000_000  # between two tries to get a port back
COMPLAIN_NS = 1_000_000_000  # a port that is not back after so long is told, again and again
_MOST_A_TURN = 32  # clients answered before the line looks at its gate again


class Admission:
    """The allow-list at work. Times are monotonic nanoseconds, given by the caller. refusals: failed handshakes."""

    def __init__(self, context: "zmq.Context[Socket]", keys: LineKeys) -> None:
        """Must be there before any guarded socket is bound."""
        self.refusals = Refusals()
        self._secret = keys.secret
        self._allowed = keys.allowed
        self._inside: set[bytes] = set()  # keys that were let in since connections were last cut
        self._look_ns = 0
        self._reopen_ns: int | None = None
        self._complain_ns = 0
        self._context = context
        self._doors: list[Door] = []
        self._asked = context.socket(zmq.REP)
        self._asked.setsockopt(zmq.LINGER, 0)
        self._asked.bind(zap.ENDPOINT)

    def guard(self, name: str, socket: Socket) -> None:
        """Let only clients with allowed keys connect to `socket`, known as `name`; before it is bound."""
        self._doors.append(Door(self._context, name, socket, self._secret))

    def handlers(self) -> dict[Socket, Callable[[], None]]:
        """What to poll, and what to call when it is readable."""
        return {self._asked: self._answer, **{door.watching: partial(self._failed, door) for door in self._doors}}

    def tick(self, now_ns: int) -> list[Note]:
        """What is to be told; looks regularly whether somebody was allowed or revoked."""
        notes = []
        if now_ns >= self._look_ns:
            self._look_ns = now_ns + LOOK_NS
            notes = self._look(now_ns)
        if self._reopen_ns is not None and now_ns >= self._reopen_ns:
            notes += self._reopen(now_ns)
        return [*notes, *self.refusals.notes(now_ns)]

    def next_due_ns(self) -> int:
        """When `tick` has something to do."""
        return self._look_ns if self._reopen_ns is None else self._reopen_ns

    def close(self) -> None:
        """Before the guarded sockets are closed."""
        for door in self._doors:
            door.close()
        self._asked.close()

    def _look(self, now_ns: int) -> list[Note]:
        revoked = self._allowed.refresh()
        if revoked is None:
            return []
        if self._inside & revoked.keys():
            self._cut(now_ns)
        gone = f", revoked: {', '.join(sorted(revoked.values()))}" if revoked else ""
        wrong = [Note("keys_wrong", str(error)) for error in self._allowed.wrong]
        return [Note("keys_changed", f"{len(self._allowed)} clients are allowed{gone}"), *wrong]

    def _cut(self, now_ns: int) -> None:
        """End every connection, because ZeroMQ cannot end one alone; who is still allowed comes back by itself."""
        self._inside.clear()
        for door in self._doors:
            door.shut()
        self._reopen_ns = now_ns + REOPEN_NS
        self._complain_ns = now_ns + COMPLAIN_NS

    def _reopen(self, now_ns: int) -> list[Note]:
        closed = [door.name for door in self._doors if not door.open()]
        self._reopen_ns = now_ns + REOPEN_NS if closed else None
        if not closed or now_ns < self._complain_ns:
            return []
        self._complain_ns = now_ns + COMPLAIN_NS
        return [Note("endpoint_shut", f"{' and '.join(closed)}: another program has taken the port; nobody gets in")]

    def _answer(self) -> None:
        for _ in range(_MOST_A_TURN):
            try:
                frames = self._asked.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            self._asked.send_multipart(self._judged(frames))

    def _judged(self, frames: list[bytes]) -> list[bytes]:
        request = zap.parse(frames)
        if request is None:
            self.refusals.add("odd", "a client shows no CURVE key")
            return zap.denied(frames[1] if len(frames) > 1 else b"")
        name = self._allowed.name_of(request.key)
        if name is None:
            self.refusals.add("key", f"{request.address}: key {key_text(request.key)} is not allowed")
            return zap.denied(request.number)
        self._inside.add(request.key)
        return zap.accepted(request, name)

    def _failed(self, door: Door) -> None:
        for reason in door.failures():
            self.refusals.add(f"{door.name} {reason}", f"{door.name}: {reason}")
