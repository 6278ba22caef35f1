"""Writes directive_table.py from crossplane's table: `python -m lbcheck.dialects.nginx.table_maker`.

Importing crossplane costs more than checking a file, so its masks are kept beside us as plain numbers; a test holds
the two equal.
"""

from __future__ import annotations

import os


def text() -> str:
    """Return the module that holds crossplane's masks, by directive."""
    from crossplane.analyzer import DIRECTIVES

    rows = "".join(f'    "{name}": {_tuple(masks)},\n' for name, masks in sorted(DIRECTIVES.items()))
    return (
        '"""Contexts and arities of nginx\'s directives, from crossplane.analyzer by table_maker.py; not edited."""\n\n'
        f"DIRECTIVES: dict[str, tuple[int, ...]] = {{\n{rows}}}\n"
    )


def _tuple(masks: list[int]) -> str:
    """Return the masks as the project's formatter writes a tuple."""
    return f"({', '.join(f'0x{mask:X}' for mask in masks)}{',' if len(masks) == 1 else ''})"


def main() -> None:
    """Write the module."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "directive_table.py")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text())


if __name__ == "__main__":
    main()
