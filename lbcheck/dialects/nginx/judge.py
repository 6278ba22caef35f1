"""What nginx itself refuses beyond syntax, as findings of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.model import Config


def judge(config: Config) -> None:
    """Append to config.hits what `nginx -t` would refuse."""
    del config
