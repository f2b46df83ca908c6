"""An actuator by somebody who has read docs/protocol.md and has pyzmq: no linewatch in here.

    page_client.py ENDPOINT STATION NAME [LINE.pub NAME.key]

Writes one line of JSON for every decision, and one when it starts and when it stops to reject everything.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import zmq

SILENCE_S = 0.25
KEYS = {
    "v", "station", "run", "seq", "verdict", "cause", "t_trigger_ns", "t_decision_ns", "deadline_ns", "eject_delay_ms",
    "score", "class", "model", "recipe",
}  # fmt: skip
CAUSES = {
    "ok", "defect", "timeout", "no_frame", "extra_frame", "incomplete_frame", "capture_jitter", "exposure", "blur",
    "model_error", "non_finite", "overrun", "desync", "starting", "stopping",
}  # fmt: skip


def connected(endpoint: str, keys: list[str]) -> zmq.Socket[bytes]:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 200)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    if keys:
        line_public, secret = (Path(path).read_bytes().strip() for path in keys)
        socket.setsockopt(zmq.CURVE_SERVERKEY, line_public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, zmq.curve_public(secret))
    socket.connect(endpoint)
    return socket


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


class Actuator:
    def __init__(self, socket: zmq.Socket[bytes], station: str, name: str) -> None:
        self.socket = socket
        self.station = station
        self.name = name
        self.run = ""
        self.had: set[int] = set()
        self.up_to = 0  # nothing up to here is missing
        self.welcomed = False
        self.heard = self.asked = float("-inf")
        self.rejecting = True

    def turn(self) -> None:
        if self.rejecting and time.monotonic() - self.asked > 0.2:
            self.asked = time.monotonic()
            self.send(type="register", v=1, name=self.name, run=self.run, seq=self.up_to)
        if self.socket.poll(20):
            topic, payload = self.socket.recv_multipart()
            self.take(topic.decode(), json.loads(payload))
        silent = time.monotonic() - self.heard > SILENCE_S
        if (silent or not self.welcomed) != self.rejecting:
            self.rejecting = silent or not self.welcomed
            say(reject_all=self.rejecting)

    def take(self, topic: str, said: dict[str, Any]) -> None:
        assert said["v"] == 1
        assert topic.startswith(f"{self.station}.")
        kind = topic.rpartition(".")[2]
        if kind == "welcome":
            if said["run"] != self.run:
                self.run, self.had = said["run"], set()
            self.up_to, self.welcomed = max(said["since"], self.up_to if self.had else 0), True
        elif said["run"] != self.run:
            self.welcomed = False
        elif kind == "decision":
            self.decision(said)
        elif kind == "heartbeat":
            while self.up_to + 1 in self.had:
                self.up_to += 1
            self.heard = time.monotonic()
            if said["seq"] > self.up_to:
                self.welcomed = False

    def decision(self, said: dict[str, Any]) -> None:
        assert set(said) == KEYS
        assert said["cause"] in CAUSES
        assert (said["verdict"] == "PASS") == (said["cause"] == "ok")
        self.send(type="ack", v=1, run=said["run"], seq=said["seq"])
        if said["seq"] not in self.had:
            self.had.add(said["seq"])
            say(seq=said["seq"], verdict=said["verdict"], cause=said["cause"])

    def send(self, **message: Any) -> None:
        try:
            self.socket.send(json.dumps(message).encode(), zmq.DONTWAIT)
        except zmq.Again:
            self.asked = float("-inf")  # nobody is there yet


def main() -> None:
    endpoint, station, name, *keys = sys.argv[1:]
    actuator = Actuator(connected(endpoint, keys), station, name)
    say(reject_all=True)
    while True:
        actuator.turn()


if __name__ == "__main__":
    main()
