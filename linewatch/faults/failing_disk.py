"""A disk that fails: from now on every write of this process ends with EIO, by a filter that the kernel keeps for it.

A seccomp filter cannot be taken back: the fault ends with the process, and the next one has a disk that works.
"""

import ctypes
import errno
import platform
import struct
from pathlib import Path

# write, pwrite64, writev, fsync, fdatasync, ftruncate; and how the kernel names the machine to a filter.
_CALLS = {
    "x86_64": (0xC000003E, (1, 18, 20, 74, 75, 77)),
    "aarch64": (0xC00000B7, (64, 68, 66, 82, 83, 46)),
}
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_LOAD, _EQUAL, _GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06  # BPF: load a word, compare with it, answer
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # where struct seccomp_data has them
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EIO
_STDERR = 2  # up to here it may still write: what it has to say is no disk


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def can_fail() -> bool:
    """Whether the filter is written for this machine."""
    return platform.machine() in _CALLS


def fail_from_now_on() -> None:
    """Let every write of the calling thread to anything but stderr end with EIO. Raises OSError when it cannot."""
    code = _filter(*_CALLS[platform.machine()])
    libc, program = ctypes.CDLL(None, use_errno=True), _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {errno.errorcode.get(number, number)}")


def fails(pid: int) -> bool:
    """Whether process `pid` has its filter."""
    return "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()


def _filter(machine: int, calls: tuple[int, ...]) -> bytes:
    """Instructions of 8 bytes: code, jump if true, jump if false (both relative), operand."""
    count = len(calls)
    steps = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 0, count + 1, machine),  # another one: allow
        (_LOAD, 0, 0, _NUMBER),
        *((_EQUAL, count - at, 0, call) for at, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_GREATER, 0, 1, _STDERR),
        (_RETURN, 0, 0, _FAIL),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
