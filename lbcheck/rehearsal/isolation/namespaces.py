"""Namespaces of one's own: users, network, mounts, processes, IPC and host name, ended together with their maker.

The user namespace has one user. He is root inside, and outside whoever started lbcheck, or nobody where that is root:
so the kernel itself keeps what runs inside, whatever its config says, from the machine's files, devices and settings
(/proc/sys belongs to the machine's root, and a log file may be any path).
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from typing import NoReturn

#: unshare(2): mounts, cgroups, host name, IPC, users, processes, network.
_ALL = 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
#: prctl(2).
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
#: capabilities(7) that a proxy may use inside: CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE,
#: NET_ADMIN and NET_RAW (transparent sockets). Without SYS_ADMIN nothing mounts, without SYS_PTRACE nothing looks
#: into other processes.
_CAPABILITIES = frozenset({0, 1, 3, 5, 6, 7, 10, 12, 13})
#: user_namespaces(7): the map of a machine that has given nothing away.
_WHOLE_MAP = ["0", "0", "4294967295"]
NOBODY = 65534
#: Kernel settings that forbid namespaces to ordinary users: what they must not be, and what to set.
_SETTINGS = (
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=1000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
)


def enter() -> bool:
    """Go on as the first process of new namespaces; the old process waits for it, and neither outlives the other.

    Files are still opened by the user of before, until `settle`; returned is whether that makes him somebody else. The
    caller must have one thread. Raises OSError with what to change on this machine.
    """
    try:
        changes = _unshare()
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}; {remedy(error.errno or 0)}") from None
    alive, ours = os.pipe()
    child = os.fork()
    if child:
        os.close(alive)
        _wait_for(child)
    os.close(ours)
    die_with_parent()
    os.set_blocking(alive, False)
    try:
        gone = os.read(alive, 1) == b""
    except BlockingIOError:
        gone = False
    if gone:  # before the signal was asked for
        os._exit(1)
    return changes


def settle() -> None:
    """Become the user of the namespace. Raises OSError."""
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    die_with_parent()  # a change of user undoes it


def give_up() -> None:
    """Keep only what a proxy needs, for this process's children; and let none of them look into this process."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as stream:
        last = int(stream.read())
    for capability in range(last + 1):
        if capability not in _CAPABILITIES:
            _prctl(_PR_CAPBSET_DROP, capability)
    gain_nothing()
    _prctl(_PR_SET_DUMPABLE, 0)


def gain_nothing() -> None:
    """Let no program that is started gain what this process has not (PR_SET_NO_NEW_PRIVS)."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that made it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def remedy(number: int) -> str:
    """Return what a user can do where namespaces are refused with this errno."""
    for path, forbids, wanted in _SETTINGS:
        try:
            with open(path, encoding="ascii") as stream:
                if stream.read().strip() == forbids:
                    return f"allow user namespaces: sysctl -w {wanted}"
        except OSError:
            continue
    if number == errno.EPERM:
        return "in a container it needs the right to make namespaces: docker run --privileged"
    return "this kernel has no user namespaces (CONFIG_USER_NS)"


def _unshare() -> bool:
    """Make the namespaces and name their only user; return whether he is another one than now.

    A map to somebody else has to be written by a process of the old namespace that is root there, so it is forked off
    before.
    """
    user, group = os.geteuid(), os.getegid()
    writer = None
    if user == 0 and _numbers("/proc/self/uid_map") == _WHOLE_MAP:
        user = group = NOBODY
        os.setgroups([])
        writer = _Writer()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_ALL):
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    if writer is not None:
        writer.write(user, group)
        return True
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"0 {user} 1")
    _write("/proc/self/gid_map", f"0 {group} 1")
    return False


class _Writer:
    """A process that stays behind, to write the maps of the one that made it."""

    def __init__(self) -> None:
        owner = os.getpid()
        asked, self._ask = os.pipe()
        self._child = os.fork()
        if self._child:
            os.close(asked)
            return
        os.close(self._ask)
        status = 1
        try:
            user, _, group = os.read(asked, 64).decode().partition(" ")
            if user:
                _write(f"/proc/{owner}/uid_map", f"0 {user} 1")
                _write(f"/proc/{owner}/gid_map", f"0 {group} 1")
                status = 0
        finally:
            os._exit(status)

    def write(self, user: int, group: int) -> None:
        os.write(self._ask, f"{user} {group}".encode())
        os.close(self._ask)
        if os.waitpid(self._child, 0)[1]:
            raise OSError(errno.EPERM, "cannot name the user of a namespace")


def _wait_for(child: int) -> NoReturn:
    os.closerange(0, 3)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)


def _numbers(path: str) -> list[str]:
    with open(path, encoding="ascii") as stream:
        return stream.read().split()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")
