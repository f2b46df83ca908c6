"""The workers of one replay: warm, of our edition, given work, and replaced when they are lost."""

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

import linewatch.core.errors as errors
from linewatch.core.errors import DeviceError
from linewatch.replay.spread.cluster import Cluster, Lost
from linewatch.replay.spread.edition import require_same
from linewatch.replay.spread.messages import Answer, FromWorker, Introduced, Opened, Refused, from_worker

_TASKS_EACH = 2  # one in hand, one waiting, so that nobody idles for a round trip
_MOST_LOSSES = 3  # of workers over one task, or in a row while they load
_START_S = 180.0  # no worker for so long: there is no room, or it hangs while it loads


@dataclass(frozen=True)
class Terms:
    """What every worker is hired for. threads, gpus: of each. brief: what it is told. edition: what it must have.

    where: the station file, named in errors. patience_s: a worker that answers nothing for so long is lost.
    """

    threads: int
    gpus: int
    brief: bytes
    edition: dict[str, str]
    where: str
    patience_s: float


@dataclass(eq=False)
class _Member:
    worker: Any
    opening: Any
    opened: Opened | None = None
    tasks: dict[Any, int] = field(default_factory=dict)  # what it will answer, for which task
    quiet_since: float = 0.0  # monotonic s, while it has tasks


class Crew:
    """`size` workers. lost: how many of them were, so far."""

    def __init__(self, cluster: Cluster, terms: Terms, size: int) -> None:
        self._cluster = cluster
        self._terms = terms
        self._members = [self._hired() for _ in range(size)]
        self._waiting: deque[int] = deque()
        self._payloads: dict[int, bytes] = {}
        self._losses: Counter[int] = Counter()
        self._lost_loading = 0
        self._alone_since = time.monotonic()
        self._first: Opened | None = None
        self.lost = 0

    def start(self) -> Opened:
        """Wait until all are warm; what the first one said. Raises what refuses them, DeviceError without them."""
        until = time.monotonic() + _START_S
        while (absent := sum(member.opened is None for member in self._members)) and time.monotonic() < until:
            self.turn(1.0)
        if absent:
            size = len(self._members)
            reason = f"only {size - absent} of {size} workers came within {_START_S:g} s: is there room for them?"
            raise DeviceError("--ray", reason)
        assert self._first is not None
        return self._first

    def give(self, task: int, payload: bytes) -> None:
        """Have `payload` inspected, by whoever is free first."""
        self._payloads[task] = payload
        self._waiting.append(task)

    def turn(self, timeout_s: float) -> list[tuple[int, Answer]]:
        """The tasks that were answered; waits `timeout_s` at the most for the first. Raises what start() raises."""
        self._assign()
        done: list[tuple[int, Answer]] = []
        owed = {answer: member for member in self._members for answer in (*member.tasks, member.opening) if answer}
        for answer in self._cluster.come(list(owed), timeout_s):
            if owed[answer] in self._members:  # not lost a moment ago, with all that it owed
                done += self._take(owed[answer], answer)
        self._miss_the_silent()
        self._require_company()
        return done

    def close(self) -> None:
        for member in self._members:
            self._cluster.dismiss(member.worker)

    def _hired(self) -> _Member:
        worker = self._cluster.hire(self._terms.threads, self._terms.gpus)
        return _Member(worker, worker.introduce.remote(self._terms.brief))

    def _assign(self) -> None:
        for depth in range(1, _TASKS_EACH + 1):
            for member in self._members:
                if self._waiting and member.opened and len(member.tasks) < depth:
                    task = self._waiting.popleft()
                    member.quiet_since = member.quiet_since if member.tasks else time.monotonic()
                    member.tasks[member.worker.inspect.remote(self._payloads[task])] = task

    def _take(self, member: _Member, answer: Any) -> list[tuple[int, Answer]]:
        try:
            said = from_worker(self._cluster.taken(answer))
        except Lost as exc:
            self._replace(member, str(exc))
            return []
        _raise_refusal(said)
        if isinstance(said, Introduced):
            require_same(self._terms.edition, said.edition, said.host)
            member.opening = member.worker.open.remote(self._terms.where)
            return []
        if isinstance(said, Opened):
            self._welcome(member, said)
            return []
        assert isinstance(said, Answer)
        task, member.quiet_since = member.tasks.pop(answer), time.monotonic()
        del self._payloads[task]
        return [(task, said)]

    def _welcome(self, member: _Member, opened: Opened) -> None:
        self._first = self._first or opened
        require_same({"detector": self._first.name}, {"detector": opened.name}, opened.host)
        member.opened, member.opening = opened, None
        self._lost_loading = 0

    def _replace(self, member: _Member, why: str) -> None:
        """Its tasks go to the others, first of all; a new worker is hired in its place."""
        self.lost += 1
        self._lost_loading += member.opened is None
        if self._lost_loading >= _MOST_LOSSES:
            raise DeviceError("--ray", f"{self._lost_loading} workers ended while they loaded the model: {why}")
        self._losses.update(member.tasks.values())
        self._waiting.extendleft(sorted(member.tasks.values(), reverse=True))
        self._members[self._members.index(member)] = self._hired()
        worst = max(member.tasks.values(), key=lambda task: (self._losses[task], -task), default=None)
        if worst is not None and self._losses[worst] >= _MOST_LOSSES:
            raise Fatal(worst, why)

    def _miss_the_silent(self) -> None:
        """A worker that hangs, or whose machine does, is as good as lost."""
        for member in list(self._members):
            if member.tasks and time.monotonic() - member.quiet_since > self._terms.patience_s:
                self._cluster.dismiss(member.worker)
                self._replace(member, f"no answer within {self._terms.patience_s:g} s")

    def _require_company(self) -> None:
        if any(member.opened for member in self._members):
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > _START_S:
            raise DeviceError("--ray", f"no worker came within {_START_S:g} s: the cluster has no room, or it hangs")


class Fatal(Exception):
    """Task `task` has ended too many workers."""

    def __init__(self, task: int, why: str) -> None:
        super().__init__(why)
        self.task = task


def _raise_refusal(said: FromWorker) -> None:
    """The worker's error as ours, with the machine that it happened on."""
    if isinstance(said, Refused):
        kind = getattr(errors, said.kind)
        raise kind(f"worker on {said.host}: {said.where}", said.reason, said.value)
