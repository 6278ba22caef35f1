"""The command line: options in, an exit code out. Nothing else in the package knows click."""

from __future__ import annotations

import sys
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
    from lbcheck.cli.output import FOUND, crashed, unprinted

    code: str | int | None = 0
    if sys.stdout is None:
        _leave(unprinted("it is closed"))
    try:
        cli(prog_name="lbcheck")
    except SystemExit as ended:
        code = ended.code
    except OSError as error:
        code = crashed() if error.filename is not None else unprinted(error.strerror)  # of standard output
    except Exception:  # noqa: BLE001 - whatever it is, it is no finding
        code = crashed()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = FOUND  # as click has it for a reader that has gone
    except OSError as error:
        code = unprinted(error.strerror)
    _leave(code)


def _leave(code: str | int | None) -> NoReturn:
    """End the process at once: the system takes the memory back faster than the interpreter frees object by object.

    What was printed is out before that.
    """
    import contextlib
    import os

    if isinstance(code, str):
        sys.exit(code)
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
    os._exit(code or 0)
