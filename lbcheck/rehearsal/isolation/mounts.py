"""A private tree: programs of this machine, the config's own folder, and else only what was put there.

Nothing else of the machine is there: no home folders, no sockets of other programs, no devices. What is written is
written to memory and thrown away.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

from lbcheck.rehearsal.isolation import copies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 0x20, 0x1000, 0x4000, 1 << 18
_MNT_DETACH = 2
#: Where programs and libraries lie; everybody may read them.
PROGRAMS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr", "/nix", "/gnu")
#: Code that a config may load: nothing is written there.
_SEALED = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")
#: What programs need of /etc, and files of the proxies' packages that configs include.
_FOLDERS = ("/etc/alternatives", "/etc/ld.so.conf.d", "/etc/nginx/modules-enabled")
_FILES = (
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime", "/etc/passwd", "/etc/group", "/etc/services",
    "/etc/protocols", "/etc/mime.types", "/etc/ssl/openssl.cnf", "/etc/nginx/mime.types", "/etc/nginx/proxy_params",
    "/etc/nginx/fastcgi_params", "/etc/nginx/fastcgi.conf", "/etc/nginx/scgi_params", "/etc/nginx/uwsgi_params",
    "/etc/nginx/koi-utf", "/etc/nginx/koi-win", "/etc/nginx/win-utf",
)  # fmt: skip
_LINKS = {"/var/run": "/run", "/var/lock": "/run/lock", "/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0",
          "/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2"}  # fmt: skip
_DEVICES = ("null", "zero", "full", "random", "urandom")
#: Every folder of these is needed by somebody, and may be written to by all.
_EMPTY = ("/tmp", "/var/tmp", "/run/lock", "/dev/shm", "/proc", "/sys")  # noqa: S108 - in a tree of our own
#: Folders that are never shown as a whole, even where the config lies in them.
_NEVER = frozenset({"/", "/etc", "/dev", "/proc", "/sys", "/run", "/var", "/home"})
#: All that may be written, in bytes.
_SIZE = 1 << 30
#: Where memory is mounted, to build the tree on: the folder itself is not touched.
_SCRATCH = "/tmp"  # noqa: S108


class Tree:
    """What of this machine will be seen: opened by those who may, before they become somebody else.

    `seen` are folders of the config; what cannot be opened is not seen. `programs` are single files of this machine by
    their places in the tree, where they are seen read-only. To be made in the mount namespace in which the tree will
    stand; `somebody_else` will enter it. Raises OSError.
    """

    def __init__(self, seen: Iterable[str], *, somebody_else: bool, programs: Mapping[str, str] | None = None) -> None:
        self._here = os.getcwd()
        self._layers: dict[str, int] = {}
        self._programs = {place: os.open(path, os.O_PATH) for place, path in (programs or {}).items()}
        self._copies: dict[str, bytes] = {}
        self._links = dict(_LINKS)
        for path in (*PROGRAMS, *_FOLDERS):
            if os.path.islink(path):
                self._links[path] = os.readlink(path)
            else:
                self._layer(path)
        for path in _FILES:
            self._copies.update(copies.file(path))
        for path in sorted(set(map(os.path.realpath, seen))):
            if path not in _NEVER and not path.startswith(PROGRAMS) and not self._covered(path):
                self._show(path, somebody_else=somebody_else)

    def _layer(self, path: str) -> None:
        try:
            self._layers[path] = os.open(path, os.O_PATH | os.O_DIRECTORY)
        except OSError:
            return

    def _show(self, path: str, *, somebody_else: bool) -> None:
        """Let a folder be seen; a copy of it, where who enters may not read all of it."""
        copied = copies.everything(path) if somebody_else else None
        if copied is None:
            self._layer(path)
        self._copies.update({**copies.special(path), **(copied or {})})

    def _covered(self, path: str) -> bool:
        """Say whether a folder is seen already as a part of another one; a layer does not show other file systems."""
        try:
            return any(
                path.startswith(f"{layer}/") and os.stat(path).st_dev == os.fstat(descriptor).st_dev
                for layer, descriptor in self._layers.items()
            )
        except OSError:
            return True

    def enter(self, files: Mapping[str, bytes], folders: Iterable[str] = ()) -> None:
        """Move this process into the tree, with these files (path → content) and folders in it, writable.

        Empty files are there to be written to: they do not take the place of what was copied.
        To be called in mount and process namespaces of one's own. Raises OSError.
        """
        _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
        _mount("tmpfs", _SCRATCH, "tmpfs", _MS_NOSUID | _MS_NODEV, f"mode=0755,size={_SIZE}")
        root = f"{_SCRATCH}/root"
        os.mkdir(root)
        above = _Above(self._layers, root)
        for folder in (*_EMPTY, *folders, self._here):
            os.makedirs(above.place(self._resolved(folder)), exist_ok=True)
        wanted = {path: content for path, content in files.items() if content or path not in self._copies}
        for path, content in {**self._copies, **wanted}.items():
            place = above.place(self._resolved(path))
            if not os.path.isdir(place):
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "wb") as stream:
                    stream.write(content)
        for path in self._layers:
            os.makedirs(above.place(path, below=path), exist_ok=True)
        for number, path in enumerate(sorted(self._layers, key=len)):
            _lay(path, self._layers[path], root + path, above.layer(path), f"{_SCRATCH}/work{number}")
        for path, target in self._links.items():
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            if not os.path.lexists(root + path):
                os.symlink(target, root + path)
        for path in _SEALED:
            if os.path.isdir(root + path) and not os.path.islink(root + path):
                _read_only(root + path, root + path)
        for place, descriptor in self._programs.items():
            os.makedirs(os.path.dirname(root + place), exist_ok=True)
            with open(root + place, "wb"):
                pass
            _read_only(f"/proc/self/fd/{descriptor}", root + place)
            os.close(descriptor)
        self._kernel(root)
        _pivot(root)
        os.chdir(self._here)

    def _kernel(self, root: str) -> None:
        _mount("proc", f"{root}/proc", "proc", _MS_NOSUID | _MS_NODEV)
        for name in _DEVICES:
            with open(f"{root}/dev/{name}", "wb"):
                pass
            _mount(f"/dev/{name}", f"{root}/dev/{name}", None, _MS_BIND)
        for descriptor in self._layers.values():
            os.close(descriptor)

    def _resolved(self, path: str) -> str:
        """Return a path without the tree's own symbolic links."""
        path = os.path.normpath(path)
        for link, target in self._links.items():
            if path == link or path.startswith(f"{link}/"):
                return os.path.normpath(os.path.join(os.path.dirname(link), target) + path[len(link) :])
        return path


class _Above:
    """Where what is put into the tree has to be written before it stands: into the layer above a folder that is seen.

    So it is there, and writable, whoever owns the folders below.
    """

    def __init__(self, layers: Iterable[str], root: str) -> None:
        self._layers = sorted(layers, key=len, reverse=True)
        self._root = root

    def place(self, path: str, below: str = "") -> str:
        """Return where to write a path; that of a mount point is in what lies `below` it."""
        for number, layer in enumerate(self._layers):
            if layer != below and (path == layer or path.startswith(f"{layer}/")):
                return f"{_SCRATCH}/upper{number}{path[len(layer) :]}"
        return self._root + path

    def layer(self, path: str) -> str:
        """Return the layer above a folder."""
        return f"{_SCRATCH}/upper{self._layers.index(path)}"


def _lay(path: str, lower: int, target: str, upper: str, work: str) -> None:
    """Mount a throw-away layer over a folder; where the kernel does not let us, copy the one above into it.

    Programs are then seen read-only, and of other folders there is a copy.
    """
    os.makedirs(upper, exist_ok=True)
    os.mkdir(work)
    source = f"/proc/self/fd/{lower}"
    try:
        _mount(
            "overlay", target, "overlay", _MS_NOSUID | _MS_NODEV, f"lowerdir={source},upperdir={upper},workdir={work}"
        )
    except OSError:
        if path.startswith(PROGRAMS):
            _read_only(source, target)
        else:
            copies.tree(source, target)
            copies.tree(upper, target)


def _read_only(source: str, target: str) -> None:
    _mount(source, target, None, _MS_BIND | _MS_REC)
    _mount("none", target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _pivot(root: str) -> None:
    """Make a folder the root of everything, and let go of the machine's own."""
    _mount(root, root, None, _MS_BIND | _MS_REC)
    old = f"{root}/.old"
    os.mkdir(old)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.pivot_root(os.fsencode(root), os.fsencode(old)):
        raise _failed("pivot_root")
    os.chdir("/")
    if libc.umount2(b"/.old", _MNT_DETACH):
        raise _failed("umount")
    os.rmdir("/.old")


def _mount(source: str, target: str, kind: str | None, flags: int = 0, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options)):
        raise _failed(f"mount {target}")


def _failed(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"cannot {what}: {os.strerror(number)}")
