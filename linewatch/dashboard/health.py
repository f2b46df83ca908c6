"""How the line and each of its parts are, in words; and whether it is ready for parts."""

from linewatch.core.wire import Status
from linewatch.dashboard.board import Board
from linewatch.dashboard.views import Cell, Tone

_NEEDED = ("camera", "inspector")
_CHILDREN = (*_NEEDED, "recorder")
_TONES: dict[str, Tone] = {"ready": "good", "starting": "doubt", "down": "bad"}
_LAG_PARTS = 32  # so far behind, the recorder loses pictures


def line_health(board: Board, now_ns: int) -> Cell:
    """The line as a whole. Nothing is good unless a heartbeat says so now."""
    hearing, status = board.hearing, board.hearing.status
    age_ns = hearing.age_ns(now_ns)
    if age_ns is None:
        return Cell("line", "bad", "NO LINE", f"nothing heard yet at {board.use.endpoint}")
    if not hearing.is_fresh(now_ns):
        word = "LINE STOPPED" if hearing.ended else "LINE SILENT"
        return Cell("line", "bad", word, f"no heartbeat for {age_ns / 1e9:.1f} s")
    if hearing.ended:
        return Cell("line", "bad", "STOPPING", hearing.ended)
    if status is None:
        return Cell("line", "unknown", "WAITING", "for the first status of this run")
    if not status.gate:
        return Cell("line", "bad", "GATE LOST", "its port is closed: no part is seen")
    absent = [f"{name} {status.children.get(name, 'absent')}" for name in _NEEDED if not _ready(status, name)]
    if absent:
        return Cell("line", "doubt", "STARTING", f"{', '.join(absent)}: every part is rejected")
    return Cell("line", "good", "RUNNING")


def unready(board: Board, now_ns: int) -> list[str]:
    """Why the line cannot take parts now; empty when it is ready."""
    line = line_health(board, now_ns)
    return [] if line.tone == "good" else [f"{line.word}: {line.detail}"]


def parts_health(board: Board, now_ns: int) -> tuple[Cell, ...]:
    """Gate, processes, actuators, disk and, where there are any, GPUs."""
    status = board.hearing.status if board.hearing.is_fresh(now_ns) else None
    machine = (_disk(board), *_gpus(board))
    if status is None:
        return (*(Cell(name, "unknown", "not known") for name in ("gate", *_CHILDREN, "actuators")), *machine)
    gate = Cell("gate", "good", "open") if status.gate else Cell("gate", "bad", "lost")
    return (gate, *(_child(board, status, name) for name in _CHILDREN), _actuators(status), *machine)


def _child(board: Board, status: Status, name: str) -> Cell:
    state = status.children.get(name)
    if state is None:
        return Cell(name, "bad", "absent")
    cell = Cell(name, _TONES[state], state)
    return _recorder(board, status, cell) if name == "recorder" else cell


def _recorder(board: Board, status: Status, cell: Cell) -> Cell:
    """The recorder may be ready and all the same not keep what happens."""
    lost = f"{status.unrecorded} not logged" if status.unrecorded else ""
    if board.unlogged > _LAG_PARTS and cell.tone == "good":
        return Cell(cell.name, "doubt", "behind", f"{board.unlogged} parts not in the log")
    return Cell(cell.name, cell.tone, cell.word, lost)


def _actuators(status: Status) -> Cell:
    lost = f"{status.unconfirmed} unconfirmed" if status.unconfirmed else ""
    if not status.actuators:
        return Cell("actuators", "doubt", "none", lost)
    return Cell("actuators", "doubt" if lost else "good", f"{status.actuators} listening", lost)


def _disk(board: Board) -> Cell:
    free = board.machine.free_bytes
    if free is None:
        return Cell("disk", "unknown", "not known")
    floor_mb = board.station.storage.floor_mb
    below = free < floor_mb * 1e6
    detail = f"below the floor of {floor_mb:g} MB: no pictures are kept" if below else ""
    return Cell("disk", "bad" if below else "good", f"{free / 1e9:.{0 if free >= 1e10 else 1}f} GB free", detail)


def _gpus(board: Board) -> tuple[Cell, ...]:
    return tuple(
        Cell(f"GPU {gpu.index}", "good", f"{gpu.busy:.0%} busy", f"{gpu.celsius:.0f} °C") for gpu in board.machine.gpus
    )


def _ready(status: Status, name: str) -> bool:
    return status.children.get(name) == "ready"
