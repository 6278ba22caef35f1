"""What a reporter may be told besides the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import WARNING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lbcheck.catalog import Rule


class Options:
    """How to render.

    `color` allows ANSI colours in the formats for people. `width` is how many columns a source line may take.
    `fail_on` is the mildest severity that fails a run: JUnit counts only those as failures. `rules` are the rules
    that SARIF describes, by code; None means the built-in ones.
    """

    __slots__ = ("color", "fail_on", "rules", "width")

    def __init__(
        self,
        *,
        color: bool = False,
        width: int = 120,
        fail_on: str = WARNING,
        rules: Mapping[str, Rule] | None = None,
    ) -> None:
        self.color = color
        self.width = width
        self.fail_on = fail_on
        self.rules = rules
