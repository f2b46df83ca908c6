"""The way to Ray: a cluster of this machine's own, or one that is there. The only file that imports ray."""

import contextlib
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from linewatch.core.errors import ConfigError, DeviceError, UsageError
from linewatch.replay.spread.worker import Worker

LOCAL = "local"
LOOPBACK = "127.0.0.1"
_KNOCK_S = 5.0
_FRAME_BYTES, _SETTINGS = 9, b"\x04"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + _SETTINGS + b"\0" * 5
_STORE_BYTES = 128 << 20  # results are some kB each; Ray's own choice would be a third of the memory


class Lost(Exception):
    """The worker that was to answer is gone."""


@dataclass(frozen=True)
class Cluster:
    """A connection. cpus, gpus: of all machines."""

    ray: Any
    cpus: int
    gpus: int

    def hire(self, threads: int, gpus: int) -> Any:
        """A new worker, as soon as there is room for it; lost ones are not restarted by Ray, who knows no order."""
        return self.ray.remote(num_cpus=threads, num_gpus=gpus, max_restarts=0)(Worker).remote()

    def dismiss(self, worker: Any) -> None:
        self.ray.kill(worker)

    def come(self, answers: Sequence[Any], timeout_s: float) -> list[Any]:
        """All answers that have come, once one has, or after `timeout_s`."""
        self.ray.wait(list(answers), num_returns=1, timeout=timeout_s)
        ready, _ = self.ray.wait(list(answers), num_returns=len(answers), timeout=0)
        return list(ready)

    def taken(self, answer: Any) -> bytes:
        """What a worker answered. Raises Lost."""
        errors = self.ray.exceptions
        try:
            return bytes(self.ray.get(answer))
        except errors.RayTaskError as exc:  # worker.py refuses in words; what raises is another linewatch, or a fault
            raise ConfigError("worker", f"cannot follow, is it the same linewatch? {_last_line(exc)}") from exc
        except errors.RayError as exc:
            raise Lost(_last_line(exc) if "creation task" in str(exc) else _one_line(exc)) from exc


@contextlib.contextmanager
def connected(address: str, cpus: int) -> Iterator[Cluster]:
    """Connect to `address` (HOST:PORT of the cluster's head), or start Ray here with `cpus` for `local`.

    Raises UsageError when ray is not installed or the address is none, DeviceError when nothing answers there.
    """
    if address == LOCAL:
        _keep_to_ourselves()
    ray = _import()
    with contextlib.ExitStack() as stack:
        if address == LOCAL:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lwray", ignore_cleanup_errors=True))
            how = {"address": LOCAL, "num_cpus": cpus, "object_store_memory": _STORE_BYTES,
                   "include_dashboard": False, "_temp_dir": folder, "_node_ip_address": LOOPBACK}  # fmt: skip
        else:
            _knock(address)
            how = {"address": address}
        _connect(ray, address, how)
        stack.callback(ray.shutdown)
        resources = ray.cluster_resources()
        yield Cluster(ray, int(resources.get("CPU", 0)), int(resources.get("GPU", 0)))


def _keep_to_ourselves() -> None:
    """Whoever speaks to Ray may run what they like: ours takes a token that only this run knows."""
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))


def _import() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing about a factory leaves it
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        import ray
    except ImportError as exc:
        raise UsageError("--ray", "needs Ray: pip install 'linewatch[ray]'") from exc
    return ray


def _connect(ray: Any, address: str, how: dict[str, Any]) -> None:
    try:
        ray.init(**how, log_to_driver=False, configure_logging=False)
    except (OSError, RuntimeError, ValueError, AssertionError, ray.exceptions.RayError) as exc:
        raise DeviceError(f"--ray {address}", f"Ray cannot be used there: {_one_line(exc)}") from exc


def _knock(address: str) -> None:
    """Whether a gRPC server listens there, as Ray's head is one: Ray itself would try for minutes.

    Both sides of HTTP/2 begin with a SETTINGS frame (RFC 9113, 3.4). With TLS nobody can ask.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536 or "/" in host:
        raise UsageError("--ray", "must be `local`, or HOST:PORT of the cluster's head (port 6379 by default)", address)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _KNOCK_S) as knock:
            if "RAY_USE_TLS" in os.environ:
                return
            knock.sendall(_PREFACE)
            frame = knock.recv(_FRAME_BYTES, socket.MSG_WAITALL)
    except OSError as exc:
        raise DeviceError(f"--ray {address}", f"cannot be reached: {exc.strerror or exc}") from exc
    if frame[3:4] != _SETTINGS:
        raise DeviceError(f"--ray {address}", "what answers there is no head of a Ray cluster")


def _last_line(exc: BaseException) -> str:
    """Where a traceback in an error's text says what happened."""
    return next((line.strip() for line in reversed(str(exc).splitlines()) if line.strip()), "")[:300]


def _one_line(exc: BaseException) -> str:
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    return (lines[0] if lines else type(exc).__name__)[:300]
