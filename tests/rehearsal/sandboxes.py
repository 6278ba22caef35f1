"""Whether this machine has what a sandbox is made of."""

from __future__ import annotations

import pytest

from lbcheck.rehearsal.play import sandbox
from lbcheck.rehearsal.play.script import Script


def _missing():
    """Return why no sandbox can be made here; None where it can."""
    try:
        list(sandbox.play(Script(("true",), ("true",), only_check=True)))
    except sandbox.UnusableError as error:
        return str(error)
    return None


_MISSING = _missing()
needs_sandbox = pytest.mark.skipif(_MISSING is not None, reason=f"no sandbox here: {_MISSING}")
