"""`python -m linewatch.faults.deaf_observer ENDPOINT`: subscribes to all, hears one message, and stops reading."""

import os
import signal
import sys

import zmq


def main() -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.subscribe(b"")
        socket.connect(sys.argv[1])
        socket.recv_multipart()
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    main()
