"""Writes source_table.py from a checkout of nginx: `python -m lbcheck.dialects.nginx.source_maker PATH`.

Each directive's line in an `ngx_command_t` table says where it may stand, how many words it takes and, by its setter,
what kind of value: nothing of that is copied by hand.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.nginx.directive_table import DIRECTIVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The flags in crossplane's numbering; what is missing (NGX_DIRECT_CONF) says nothing about place or arguments.
_FLAGS = {
    "NGX_CONF_NOARGS": 1,
    **{f"NGX_CONF_TAKE{counts}": sum(2 ** int(count) for count in counts)
       for counts in ("1", "2", "3", "4", "5", "6", "7", "12", "13", "23", "34", "123", "1234")},
    "NGX_CONF_BLOCK": 0x100, "NGX_CONF_FLAG": 0x200, "NGX_CONF_ANY": 0x400, "NGX_CONF_1MORE": 0x800,
    "NGX_CONF_2MORE": 0x1000, "NGX_MAIN_CONF": 0x40000, "NGX_EVENT_CONF": 0x80000, "NGX_MAIL_MAIN_CONF": 0x100000,
    "NGX_MAIL_SRV_CONF": 0x200000, "NGX_STREAM_MAIN_CONF": 0x400000, "NGX_STREAM_SRV_CONF": 0x800000,
    "NGX_STREAM_UPS_CONF": 0x1000000, "NGX_HTTP_MAIN_CONF": 0x2000000, "NGX_HTTP_SRV_CONF": 0x4000000,
    "NGX_HTTP_LOC_CONF": 0x8000000, "NGX_HTTP_UPS_CONF": 0x10000000, "NGX_HTTP_SIF_CONF": 0x20000000,
    "NGX_HTTP_LIF_CONF": 0x40000000, "NGX_HTTP_LMT_CONF": 0x80000000,
}  # fmt: skip
#: What a setter takes; those of src/core/ngx_conf_file.c refuse a second value in the same block.
_KINDS = {"flag": "flag", "msec": "time", "sec": "seconds", "size": "size", "off": "offset", "num": "number",
    "bufs": "buffers", "enum": "word", "bitmask": "words", "str": "text"}  # fmt: skip

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TABLE = re.compile(r"ngx_command_t\s+\w+\[\]\s*=\s*\{(.*?)\n\};", re.DOTALL)
_COMMAND = re.compile(r'\{\s*ngx_string\("([^"]+)"\),\s*([A-Z0-9_|\s]+?),\s*(\w+),\s*[\w()]+,\s*(.*?)\}\s*,', re.DOTALL)
_ENUM = re.compile(r"ngx_conf_(?:enum|bitmask)_t\s+(\w+)\[\]\s*=\s*\{(.*?)\n\};", re.DOTALL)
_BOUNDS = re.compile(r"ngx_conf_num_bounds_t\s+(\w+)\s*=\s*\{\s*ngx_conf_check_num_bounds,\s*(\d+),\s*(-?\d+)\s*\}")
_VARIABLES = re.compile(r"ngx_(http|stream)_variable_t\s+\w+\[\]\s*=\s*\{(.*?)\n\};", re.DOTALL)
_NAMED = re.compile(r'ngx_str_t\s+\w+\s*=\s*ngx_string\("([a-z][a-z0-9_]*)"\)')
_STRING = re.compile(r'ngx_string\("([^"]+)"\)')


class Command(NamedTuple):
    """One line of a table: its mask, its setter, and the enumeration or bounds that the setter is given.

    `part` is the folder of the source, which is the top block in which the directive stands: "http", "stream", "mail".
    """

    part: str
    name: str
    mask: int
    setter: str
    detail: str


def commands(sources: Iterable[tuple[str, str]]) -> Iterator[Command]:
    """Yield the directives that the sources (top folder, text) define."""
    for part, text in sources:
        for table in _TABLE.finditer(text):
            for name, flags, setter, rest in _COMMAND.findall(table[1]):
                mask = 0
                for word in re.split(r"[|\s]+", flags):
                    mask |= _FLAGS.get(word, 0)
                yield Command(part, name, mask, setter, (re.findall(r"&(\w+)", rest) or [""])[-1])


def text(folder: str) -> str:
    """Return the module for the sources in `folder`."""
    sources = list(_sources(os.path.join(folder, "src")))
    found = defaultdict(list)
    for command in commands(sources):
        found[command.name].append(command)
    version = re.search(r'NGINX_VERSION\s+"([\d.]+)"', _read(os.path.join(folder, "src/core/nginx.h")))
    title = f"What the source of nginx {version[1] if version else ''} says about its directives"
    parts = [
        f'"""{title}, by source_maker.py; not edited."""\n\nfrom __future__ import annotations\n',
        _masks(found),
        *_values(found, sources),
        *_variables(sources),
    ]
    return "\n".join(parts)


def _masks(found: dict[str, list[Command]]) -> str:
    rows = {}
    for name, group in sorted(found.items()):
        more = sorted({c.mask for c in group if not any(c.mask & ~mask == 0 for mask in DIRECTIVES.get(name, ()))})
        if more:
            rows[name] = f"({', '.join(f'0x{mask:X}' for mask in more)}{',' if len(more) == 1 else ''})"
    return _dict("MORE", "dict[str, tuple[int, ...]]", "Masks that crossplane's table lacks.", rows)


def _values(found: dict[str, list[Command]], sources: list[tuple[str, str]]) -> Iterator[str]:
    enums = {name: _STRING.findall(body) for _, text in sources for name, body in _ENUM.findall(text)}
    bounds = {name: (int(low), int(high)) for _, text in sources for name, low, high in _BOUNDS.findall(text)}
    kinds: dict[str, str] = {}
    words: dict[str, str] = {}
    ranges: dict[str, str] = {}
    for name, group in _agreeing(found):
        kind = _kind(group[0])
        if kind in {"word", "words"}:
            known = sorted({word for command in group for word in enums.get(command.detail, ())})
            kind = kind if known else ""
            if known:
                words[name] = _words(known)
        if kind:
            kinds[name] = f'"{kind}"'
        if kind == "number" and all(command.detail in bounds for command in group):
            ranges[name] = str(bounds[group[0].detail])
    yield _dict("KINDS", "dict[str, str]", "What kind of value a directive takes; see _agreeing for the keys.", kinds)
    yield _dict("WORDS", "dict[str, tuple[str, ...]]", "The words that those of kind word and words know.", words)
    yield _dict("RANGES", "dict[str, tuple[int, int]]", "The least and greatest number (-1: no limit).", ranges)


def _kind(command: Command) -> str:
    return _KINDS.get(re.sub(r"^ngx_conf_set_(\w+)_slot$", r"\1", command.setter), "")


def _agreeing(found: dict[str, list[Command]]) -> Iterator[tuple[str, list[Command]]]:
    """Yield the commands that take the same: by name, or by "stream/name" where http and stream differ."""
    for name, group in sorted(found.items()):
        if len({_kind(command) for command in group}) == 1:
            yield name, group
            continue
        for part in sorted({command.part for command in group}):
            among = [command for command in group if command.part == part]
            if len({_kind(command) for command in among}) == 1:
                yield f"{part}/{name}", among


def _words(known: list[str]) -> str:
    quoted = ", ".join(f'"{word}"' for word in known)
    return f"({quoted}{',' if len(known) == 1 else ''})"


def _variables(sources: list[tuple[str, str]]) -> Iterator[str]:
    names: dict[str, set[str]] = {"http": set(), "stream": set()}
    for _, source in sources:
        for kind, body in _VARIABLES.findall(source):
            names[kind].update(_STRING.findall(body))
    extra = {name for _, source in sources for name in _NAMED.findall(source)}
    for kind, known in names.items():
        rows = "".join(f'    "{name}",\n' for name in sorted(known | extra))
        comment = f"Variables of {kind}; a name that ends in _ is a prefix."
        yield f"#: {comment}\n{kind.upper()}_VARIABLES = frozenset({{\n{rows}}})\n"


def _dict(name: str, kind: str, comment: str, rows: dict[str, str]) -> str:
    body = "".join(f'    "{key}": {value},\n' for key, value in rows.items())
    return f"#: {comment}\n{name}: {kind} = {{\n{body}}}\n"


def _sources(folder: str) -> Iterator[tuple[str, str]]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".c"):
                part = os.path.relpath(parent, folder).split("/")[0]
                yield part, _COMMENT.sub("", _read(os.path.join(parent, name)))


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()


def main() -> None:
    """Write the module from the checkout that the command line names."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "source_table.py")
    written = text(sys.argv[1])
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(written)


if __name__ == "__main__":
    main()
