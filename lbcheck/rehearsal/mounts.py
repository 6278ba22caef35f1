"""A private tree in which a config finds what it names at its own path, and whatever is written is thrown away."""

from __future__ import annotations

import contextlib
import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 1 << 18
#: The kernel's own trees: taken along as they are.
_KERNEL = frozenset({"proc", "sys", "dev"})


def enter(scratch: str, files: Mapping[str, bytes], folders: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
    """Move this process into a copy of the machine's tree that is thrown away with it. Raises OSError.

    To be called in a mount namespace of one's own. Each top folder becomes the lower layer of an overlay whose upper
    layer is memory, so what exists is there, and folders can be made at the top too. A folder that cannot be layered
    is seen read-only. `files` (path → content) and `folders` are there, and writable, whoever owns what lies below
    them: they are put into the upper layers. `scratch` is an existing folder on which the memory is mounted. Folders
    in `keep` are seen even if they are mounts of their own, which no overlay looks into.
    """
    here = os.getcwd()
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    kept = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY)) for path in dict.fromkeys([here, *keep])]
    _mount("tmpfs", scratch, "tmpfs", 0, "mode=0755")
    root, upper = f"{scratch}/root", f"{scratch}/upper"
    os.mkdir(root)
    os.mkdir(upper)
    for folder in folders:
        os.makedirs(upper + folder, exist_ok=True)
    for path, content in files.items():
        os.makedirs(upper + os.path.dirname(path), exist_ok=True)
        with open(upper + path, "wb") as stream:
            stream.write(content)
    for name in dict.fromkeys([*os.listdir("/"), *os.listdir(upper)]):
        _take_along(name, scratch, root)
    for path, descriptor in kept:
        if os.path.ismount(path):
            os.makedirs(root + path, exist_ok=True)
            _layer(
                f"/proc/self/fd/{descriptor}",
                root + path,
                f"{scratch}/kept/{descriptor}",
                f"{scratch}/kept.{descriptor}",
            )
    os.chroot(root)
    os.chdir(here)


def _take_along(name: str, scratch: str, root: str) -> None:
    source, target, upper = f"/{name}", f"{root}/{name}", f"{scratch}/upper/{name}"
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    elif name in _KERNEL:
        os.mkdir(target)
        _mount(source, target, None, _MS_BIND | _MS_REC)
    elif not os.path.lexists(source):
        os.rename(upper, target)
    elif os.path.isdir(source) and not os.path.samefile(source, scratch):
        os.mkdir(target)
        _layer(source, target, upper, f"{scratch}/work/{name}")


def _layer(lower: str, target: str, upper: str, work: str) -> None:
    """Mount a throw-away layer over a folder; where the kernel does not let us, the folder itself, read-only."""
    os.makedirs(upper, exist_ok=True)
    os.makedirs(work)
    try:
        _mount("overlay", target, "overlay", 0, f"lowerdir={_escaped(lower)},upperdir={upper},workdir={work}")
    except OSError:
        _mount(lower, target, None, _MS_BIND | _MS_REC)
        with contextlib.suppress(OSError):  # a folder that was read-only before stays so
            _mount("none", target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY)


def _escaped(path: str) -> str:
    return os.path.realpath(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def _mount(source: str, target: str, kind: str | None, flags: int = 0, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options)):
        number = ctypes.get_errno()
        raise OSError(number, f"cannot mount {target}: {os.strerror(number)}")
