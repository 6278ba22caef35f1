"""The command line: options in, an exit code out. Nothing else in the package knows click."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run lbcheck and exit.

    A run builds one large tree of objects and then ends, so the cyclic garbage collector only costs: on a large
    file it made reading three to four times slower. So does taking the tree apart again at the end.
    """
    import gc

    gc.disable()
    from lbcheck.cli.commands import cli

    try:
        cli(prog_name="lbcheck")
    except SystemExit as ended:
        _leave(ended.code)
    _leave(0)


def _leave(code: str | int | None) -> NoReturn:
    """End the process at once: the system takes the memory back faster than the interpreter frees object by object.

    What was printed is out before that; where it cannot be, the interpreter ends as usual and says so.
    """
    import os
    import sys

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if isinstance(code, str):
        sys.exit(code)
    os._exit(code or 0)
