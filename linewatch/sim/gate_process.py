"""The virtual gate as a process of its own: `python -m linewatch.sim.gate_process --pace 300 --link /run/x/gate`.

Beside a host in the same interpreter a gate measures the interpreter's lock; here it measures the host. Standard output
is JSON lines: first {"path": ...}, last the summary with every trigger and flash in monotonic time, which all processes
of a machine share. Standard input takes one order a line: fire, drop, corrupt, duplicate, noise, unplug, replug, quit;
`pace N` runs at N parts a minute until `stop`; `count` is answered with {"count": parts so far}.
"""

import argparse
import json
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from linewatch.sim.gate import VirtualGate

_PACE = re.compile(r"pace ([1-9]\d{0,5})")


def main(arguments: list[str] | None = None) -> int:
    """Run a gate until its parts are sent and the time to linger is over, or until told to quit."""
    options = _options(arguments)
    with VirtualGate(options.link, drift_ppm=options.drift_ppm, seed=options.seed) as gate:
        done = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: done.set())
        print(json.dumps({"path": gate.path}), flush=True)
        threading.Thread(target=_listen, args=(gate, done, options.jitter), name="orders", daemon=True).start()
        # Time for the host to open the port: a part before that would be lost by the test, not by the host.
        if not done.wait(options.delay):
            _work(gate, options, done)
        gate.stop()
        print(json.dumps(summary(gate)), flush=True)
    return 0


def summary(gate: VirtualGate) -> dict[str, object]:
    """Everything the gate did, ready for JSON."""
    return {
        "fired": [fired._asdict() for fired in gate.fired],
        "flashes": [flash._asdict() for flash in gate.flashes],
        "damaged": gate.damaged,
        "lost_bytes": gate.lost_bytes,
    }


def _work(gate: VirtualGate, options: argparse.Namespace, done: threading.Event) -> None:
    if options.pace > 0:
        runner = gate.start(options.pace, count=options.count, duration_s=options.duration, jitter=options.jitter)
        while runner.is_alive() and not done.wait(0.05):
            pass
        done.wait(options.linger)
    else:
        done.wait()


def _listen(gate: VirtualGate, done: threading.Event, jitter: float) -> None:
    # Unbuffered: a thread that waits inside sys.stdin holds a lock that the interpreter needs to exit.
    with open(0, "rb", buffering=0, closefd=False) as orders:
        _obey(gate, orders, done, jitter)


def _obey(gate: VirtualGate, orders: Iterable[bytes], done: threading.Event, jitter: float) -> None:
    """Carry out the orders of standard input; a closed input is no order to quit."""
    known: dict[str, Callable[[], object]] = {
        "fire": gate.fire, "drop": gate.drop_next, "corrupt": gate.corrupt_next, "duplicate": gate.duplicate_next,
        "noise": gate.send_noise, "unplug": gate.unplug, "replug": gate.replug, "stop": gate.stop, "quit": done.set,
        "count": lambda: print(json.dumps({"count": len(gate.fired)}), flush=True),
    }  # fmt: skip
    for line in orders:
        order = line.decode("ascii", "replace").strip()
        pace = _PACE.fullmatch(order)
        if pace is not None:
            gate.stop()
            gate.start(float(pace[1]), jitter=jitter)
        elif order in known:
            known[order]()
        else:
            print(f"unknown order: {order}", file=sys.stderr, flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m linewatch.sim.gate_process", description=__doc__)
    parser.add_argument("--pace", type=float, default=0.0, help="parts per minute; 0: only on order")
    parser.add_argument("--count", type=int, help="parts to send; default: no end")
    parser.add_argument("--duration", type=float, help="seconds to run; default: no end")
    parser.add_argument("--jitter", type=float, default=0.0, help="largest shift of a part, share of the pitch")
    parser.add_argument("--delay", type=float, default=0.5, help="seconds before the first part")
    parser.add_argument("--linger", type=float, default=1.0, help="seconds to hear late light orders after the last")
    parser.add_argument("--drift-ppm", type=float, default=0.0, help="how much faster the gate's clock runs")
    parser.add_argument("--seed", type=int, default=0, help="seed of the jitter")
    parser.add_argument("--link", type=Path, help="symbolic link that names the device")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
