"""Where files that a config names lie on this machine."""

from __future__ import annotations

import os


class Here:
    """Finds the server's files: absolute paths below `root` where one is given, relative ones from a folder."""

    __slots__ = ("_root",)

    def __init__(self, root: str | None = None) -> None:
        self._root = root

    def path(self, written: str, folder: str) -> str:
        """Return the path at which a file is looked for."""
        path = os.path.join(folder, written) if folder else written
        if self._root is not None and path.startswith("/"):
            return self._root.rstrip("/") + os.path.normpath(path)
        return path
