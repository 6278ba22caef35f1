"""Parse every nginx config of a folder with crossplane alone: the peer of the corpus row."""

from __future__ import annotations

import os
import sys

import crossplane


def files(folder: str) -> list[str]:
    return sorted(
        os.path.join(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if not os.path.islink(os.path.join(parent, name))
    )


def main() -> None:
    paths = files(sys.argv[1])
    for path in paths:
        crossplane.parse(path, single=True)
    if "--count" in sys.argv:
        print(len(paths))


if __name__ == "__main__":
    main()
