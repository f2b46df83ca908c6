"""Which frame belongs to which trigger: the camera's frame counter says it, and the time of exposure must agree.

Pure: frames with their counters and times go in, in any order; each request gets its own frame or the reason why not.
A request is the part's seq where the gate's own pulse triggers the camera, else the number of the software trigger.
Counter and requests advance by one together. A frame that the network loses leaves a gap in the counter, and its part
has none. When the camera misses a pulse or fires without one, counter and time disagree: the part where they do is
rejected, and ties the counter to the requests anew. So no frame goes to the wrong part as long as triggers are
further apart than the window in which a frame may be exposed; a closer one is rejected.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from linewatch.cameras.counting import CounterRange, FrameCounting
from linewatch.core.messages import Cause, Note

T = TypeVar("T")
_MOST_KEPT = 16  # frames that nobody has asked for yet


@dataclass(frozen=True)
class Frame(Generic[T]):
    """counter: unwrapped. t_ns: when it was exposed, monotonic clock."""

    counter: int
    t_ns: int
    content: T


@dataclass(frozen=True)
class Miss:
    """Why a request has no frame."""

    cause: Cause
    reason: str


class Matching(Generic[T]):
    """The frames and requests of one camera, requests in their order, one at a time."""

    def __init__(self, counters: CounterRange, early_ns: int, late_ns: int, *, by_time: bool) -> None:
        """A frame is exposed at most early_ns before and late_ns after its trigger.

        by_time: a frame may tie the counter to the requests by its time alone; else only `tie` does.
        """
        self._counters = counters
        self._early_ns = early_ns
        self._late_ns = late_ns
        self._by_time = by_time
        self._last_request = 0
        self._last_trigger_ns: int | None = None
        self._notes: list[Note] = []
        self.restart()

    def restart(self) -> None:
        """The camera was started anew: frames from before are gone, and its counter begins anywhere."""
        self._counting = FrameCounting(self._counters)
        self._frames: dict[int, Frame[T]] = {}
        self._offset: int | None = None  # counter - request

    @property
    def tied(self) -> bool:
        """Whether the counter is tied to the requests."""
        return self._offset is not None

    def arrived(self, counter: int, t_ns: int, content: T) -> None:
        """Take a frame. counter: as the camera counts."""
        unwrapped = self._counting.unwrap(counter)
        if unwrapped is None:
            self.restart()
            unwrapped = self._counting.unwrap(counter) or 0
        if unwrapped in self._frames:
            self._extra(f"frame {counter} came twice", 0)
            return
        self._frames[unwrapped] = Frame(unwrapped, t_ns, content)
        if len(self._frames) > _MOST_KEPT:
            del self._frames[min(self._frames)]

    def tie(self, request: int) -> T | None:
        """Tie the counter to the requests by the only frame there is, that of `request`; its content, none without."""
        if len(self._frames) != 1:
            return None
        (frame,) = self._frames.values()
        self._frames.clear()
        self._offset, self._last_request = frame.counter - request, request
        return frame.content

    def claim(self, request: int, t_trigger_ns: int, *, final: bool) -> Frame[T] | Miss | None:
        """The frame of `request`, why it has none, or none: wait on. final: there is no time left to wait."""
        self._drop_older(request, t_trigger_ns - self._early_ns)
        latest_ns = t_trigger_ns + self._late_ns
        inside = [frame for frame in self._frames.values() if frame.t_ns <= latest_ns]
        passed = len(inside) < len(self._frames)  # a later frame is here: this one's will not come any more
        found = self._judge(request, t_trigger_ns, inside, final=final or passed)
        if found is not None:
            for frame in inside:
                del self._frames[frame.counter]
            self._last_request, self._last_trigger_ns = request, t_trigger_ns
        return found

    def notes(self) -> list[Note]:
        """The extra frames since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def _judge(self, request: int, t_trigger_ns: int, inside: list[Frame[T]], *, final: bool) -> Frame[T] | Miss | None:
        if not inside:
            return self._missed(request) if final else None
        if self._is_too_close(t_trigger_ns):
            return self._lost(Cause.EXTRA_FRAME, "the trigger before was so close that the frame may be of either part")
        if self._offset is None:
            reason = "the camera's frame counter was not yet tied to the triggers"
            return self._tie_anew(request, inside, Cause.NO_FRAME, reason)
        wanted = request + self._offset
        mine = next((frame for frame in inside if frame.counter == wanted), None)
        if any(frame.counter > wanted for frame in inside):
            counters = ", ".join(str(frame.counter) for frame in inside)
            return self._tie_anew(request, inside, Cause.EXTRA_FRAME, f"frame {counters} where {wanted} was due")
        if mine is None and final:
            return self._tie_anew(request, inside, Cause.NO_FRAME, f"frame {wanted} did not come, only older ones")
        return mine

    def _missed(self, request: int) -> Miss:
        """No frame was exposed in time. When the one due was exposed later, the camera counts one pulse less."""
        if self._offset is None:
            return Miss(Cause.NO_FRAME, "no frame came for this trigger")
        wanted = request + self._offset
        if wanted in self._frames:
            return self._lost(Cause.NO_FRAME, f"the camera missed this trigger: frame {wanted} was exposed later")
        return Miss(Cause.NO_FRAME, f"frame {wanted} did not come")

    def _tie_anew(self, request: int, inside: list[Frame[T]], cause: Cause, reason: str) -> Miss:
        """This part is in doubt; its only frame is good enough to count from, as the next one must agree with it."""
        self._offset = inside[0].counter - request if self._by_time and len(inside) == 1 else None
        return Miss(cause, reason)

    def _lost(self, cause: Cause, reason: str) -> Miss:
        self._offset = None
        return Miss(cause, reason)

    def _is_too_close(self, t_trigger_ns: int) -> bool:
        last_ns = self._last_trigger_ns
        return self._by_time and last_ns is not None and t_trigger_ns - last_ns <= self._early_ns + self._late_ns

    def _drop_older(self, request: int, oldest_ns: int) -> None:
        """Frames of parts that were never asked for go silently; others are extra."""
        for frame in [frame for frame in self._frames.values() if frame.t_ns < oldest_ns]:
            del self._frames[frame.counter]
            if self._offset is not None and not self._last_request < frame.counter - self._offset < request:
                self._extra(f"frame {frame.counter} belongs to no trigger", request)

    def _extra(self, text: str, request: int) -> None:
        self._notes.append(Note("extra_frame", text, request if self._by_time else 0))
