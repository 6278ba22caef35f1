"""lbcheck under strace: which of its system calls could touch the machine outside the sandbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys

_CALLS = (
    "unshare,setns,pivot_root,clone,clone3,fork,vfork,connect,bind,sendto,sendmsg,open,openat,creat,mkdir,mkdirat,"
    "unlink,unlinkat,rename,renameat,renameat2,symlink,symlinkat,link,linkat,mknod,mknodat,chmod,fchmodat,chown,"
    "lchown,fchownat,truncate,mount,umount2"
)
_CHILD = re.compile(r"^(?:clone3?|v?fork)\(.* = (\d+)(?: /\* (\d+) in strace's PID NS \*/)?$")
_OPENED = re.compile(r"^(?:openat\(\S+ |open\()\"([^\"]*)\", (\S+?)[,)]")
_SOCKETS = re.compile(r"^(?:connect|bind|sendto|sendmsg)\(.*sa_family=AF_(?:INET6?|UNIX)")
_CHANGES = re.compile(r"^(?!open|connect|bind|send|unshare|setns|pivot_root|clone|fork|vfork)(\w+)\(")
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
#: What the outer processes write: who the users of the namespace are; and to nowhere.
_OURS = re.compile(r"/proc/(?:\d+|self)/(?:uid_map|gid_map|setgroups)|/dev/(?:null|tty)")
#: Before the private tree is entered, in a mount namespace of its own: memory that is mounted, and the new network.
_BUILDING = re.compile(r"/tmp(?:/|$)|/proc/(?:sys/net/|self/)|/$|none$|/dev/|/\.old|\.$")


class Traced:
    """One run. `inside` is how many processes were in the sandbox, `strays` are calls that could touch the machine."""

    def __init__(self, logs, folder, *args):
        logs.mkdir()
        strace = [
            "strace",
            "-qq",
            "-ff",
            "--decode-pids=pidns",
            "-s",
            "256",
            "-e",
            f"trace={_CALLS}",
            "-o",
            logs / "log",
        ]
        done = subprocess.run(
            [*strace, sys.executable, "-m", "lbcheck", *args],
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=120,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert done.returncode in {0, 1}, done.stderr
        self._logs = {int(path.suffix[1:]): path.read_text().splitlines() for path in logs.iterdir()}
        self.strays = []
        self.inside = 0
        children = {child for lines in self._logs.values() for child, _ in map(_child, lines) if child}
        for root in self._logs.keys() - children:
            self._follow(root, apart=False, private=False)

    def _follow(self, process, *, apart, private):
        """Look at a process: whether it is in namespaces of its own (`apart`), and in its own tree (`private`)."""
        for line in self._logs.get(process, []):
            if line.startswith("unshare(") and "CLONE_NEWNET" in line and line.endswith("= 0"):
                apart = True
            elif line.startswith("pivot_root(") and line.endswith("= 0"):
                private = True
            elif (child := _child(line)[0]) is not None:
                self.inside += apart
                self._follow(child, apart=apart, private=private)
            elif not private and _stray(line, apart=apart):
                self.strays.append(f"{process}: {line}")


def _child(line):
    match = _CHILD.match(line)
    return (int(match[2] or match[1]), True) if match else (None, False)


def _stray(line, *, apart):
    if " = -1 " in line:
        return False
    if opened := _OPENED.match(line):
        return bool(_WRITES.search(opened[2])) and not (_BUILDING if apart else _OURS).match(opened[1])
    if _SOCKETS.match(line):
        return not apart
    if _CHANGES.match(line):
        paths = re.findall(r'"([^"]*)"', line)
        target = paths[1] if line.startswith("mount(") else paths[-1]
        return not apart or not _BUILDING.match(target)
    return False
