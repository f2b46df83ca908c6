"""The floor: a bare poll loop that answers every line of the same serial port by a message of the same size.

No ledger, no camera, no inspector, no check of anything: what serial port, poll and ZeroMQ cost alone.
`floor.py PORT ENDPOINT`
"""

import select
import sys

import serial
import zmq

from linewatch.core.messages import Cause, Decision, Verdict
from linewatch.core.wire import pack, wire_decision


def main() -> None:
    answer = Decision("bench", "floor", 1, Verdict.PASS, Cause.OK, 10**12, 10**12, 10**12, 300.0)
    topic, payload = pack(wire_decision(answer, "null", "bench"))
    with serial.Serial(sys.argv[1], timeout=0) as port, zmq.Context() as context, context.socket(zmq.PUB) as socket:
        socket.bind(sys.argv[2])
        poller = select.poll()
        poller.register(port.fileno(), select.POLLIN)
        while True:
            poller.poll()
            for _ in range(port.read(4096).count(b"\n")):
                socket.send_multipart([topic, payload])


if __name__ == "__main__":
    main()
