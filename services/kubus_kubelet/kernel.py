"""System calls that Python has no name for: mounts, and opening a path that may not leave its root."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_SYS_OPENAT2 = 437  # the same number on every architecture
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_BENEATH = 0x08
_MS_BIND = 4096
_MS_REC = 16384
_MNT_DETACH = 2


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def open_beneath(root_fd: int, path: str, flags: int = os.O_PATH) -> int:
    """Open a relative path that stays below a directory, symbolic links and races included (openat2).

    Raises:
        OSError: EXDEV where the path leads out of the root, ENOENT where there is nothing.
    """
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
    result = _libc.syscall(_SYS_OPENAT2, root_fd, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
    return _check(result, path)


def mount_tmpfs(target: Path, *, options: str = "") -> None:
    """Mount an empty tmpfs."""
    _check(_libc.mount(b"tmpfs", os.fsencode(target), b"tmpfs", 0, options.encode()), str(target))


def mount_bind(source: str, target: Path) -> None:
    """Bind a file or directory, with what is mounted below it."""
    _check(_libc.mount(os.fsencode(source), os.fsencode(target), None, _MS_BIND | _MS_REC, None), str(target))


def unmount(target: Path) -> None:
    """Take a mount away, at once for new users, later for old ones; that there is none is not an error."""
    if _libc.umount2(os.fsencode(target), _MNT_DETACH) < 0 and ctypes.get_errno() not in (22, 2):
        _check(-1, str(target))


def mounts_below(directory: Path) -> list[Path]:
    """Mount points at or below a directory, deepest first."""
    prefix = str(directory)
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        target = line.split(" ")[4].replace("\\040", " ")
        if target == prefix or target.startswith(prefix + "/"):
            found.append(Path(target))
    return found[::-1]
