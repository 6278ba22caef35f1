"""Rule pages: the front matter, prose and example configs of rules/*.md. How one is written: rules/README.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What a single example config is called where its fence gives it no name.
DEFAULT_NAMES = {
    "nginx": "nginx.conf",
    "haproxy": "haproxy.cfg",
    "envoy": "envoy.yaml",
    "traefik": "traefik.yaml",
    "compose": "compose.yaml",
    "kubernetes": "manifests.yaml",
    "native": "lb.yaml",
}
#: The attributes that a fence may carry.
ATTRIBUTES = frozenset({"as", "case", "file", "line", "native", "pad", "settings", "target"})
#: The words without a value that a fence may carry: which version of a config the block is, on pages about changes.
VERSIONS = ("old", "new")

_CODE = "[A-Z][0-9]{2}"
_MARK = re.compile(rf"[ \t]*#[ \t]*({_CODE}(?:[ ,]+{_CODE})*)[ \t]*$")
_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>[\w-]*)(?P<attributes>[^`]*)$")


class PageError(Exception):
    """A page that is not written as rules/README.md says; the text names the page and the line."""


class Block(NamedTuple):
    """One fenced config of a page. `text` has no markers any more; `marks` are the (line, code) pairs they stood for.

    `line` is the line of the fence in the page. `case` joins the blocks that are files of one config.
    """

    section: str
    dialect: str
    attributes: dict[str, str]
    text: str
    marks: frozenset[tuple[int, str]]
    line: int

    @property
    def name(self) -> str:
        """The path that the text stands for."""
        return self.attributes.get("file") or DEFAULT_NAMES.get(self.dialect, "config")

    @property
    def version(self) -> str:
        """Whether it is the "old" or the "new" version of a config; "" on pages that are about one version."""
        return next((version for version in VERSIONS if version in self.attributes), "")

    @property
    def case(self) -> str | None:
        """The name of the case that the block belongs to, where it has one."""
        return self.attributes.get("case")


class Case(NamedTuple):
    """One whole config of a page: one block, or several that are its files, the root first.

    On a page about changes it is a pair of configs: the blocks of the old version, then those of the new one.
    """

    section: str
    dialect: str
    blocks: tuple[Block, ...]

    def attribute(self, name: str, default: str = "") -> str:
        """Return the attribute from the first block that carries it."""
        return next((block.attributes[name] for block in self.blocks if name in block.attributes), default)

    def version(self, name: str) -> Case:
        """Return the config that is the "old" or the "new" version of a pair."""
        return self._replace(blocks=tuple(block for block in self.blocks if block.version == name))

    @property
    def marks(self) -> frozenset[tuple[str, int, str]]:
        """The findings that are to come, as (path, line, code)."""
        return frozenset((block.name, line, code) for block in self.blocks for line, code in block.marks)


def split(text: str, path: str) -> tuple[str, str]:
    """Return (front matter, body) of a page. Raises PageError where there is no front matter."""
    parts = re.split(r"^---[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise PageError(f"{path}:1: the page must begin with front matter between two lines of ---")
    return parts[1], parts[2]


def sections(body: str) -> dict[str, str]:
    """Return the text of each `## Heading` of a page's body, in order; headings inside fences do not count."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    fence = ""
    for line in body.splitlines():
        if opening := _FENCE.match(line):
            fence = "" if fence and line.startswith(fence) else fence or opening["fence"]
        if line.startswith("## ") and not fence:
            current = found.setdefault(line[3:].strip(), [])
        else:
            current.append(line)
    return {heading: "\n".join(lines).strip("\n") for heading, lines in found.items()}


def blocks(text: str, code: str, path: str) -> Iterator[Block]:
    """Yield the example configs in a page's Bad and Good sections. Raises PageError."""
    section = ""
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        opening = _FENCE.match(line)
        if opening is None:
            section = line[3:].strip() if line.startswith("## ") else section
            continue
        inside = []
        for _, inner in lines:
            if inner.rstrip() == opening["fence"]:
                break
            inside.append(inner)
        else:
            raise PageError(f"{path}:{number}: the fence is not closed")
        if section in ("Bad", "Good"):
            yield _block(section, opening, inside, code, f"{path}:{number}")


def _block(section: str, opening: re.Match[str], lines: list[str], code: str, place: str) -> Block:
    dialect = opening["language"]
    if dialect not in DEFAULT_NAMES:
        raise PageError(
            f"{place}: {dialect or 'no language'!r} is no dialect; the dialects are {', '.join(DEFAULT_NAMES)}"
        )
    attributes = _attributes(opening["attributes"], place)
    marks = set(_listed(attributes.get("line", ""), code, place))
    texts = []
    for number, line in enumerate(lines, 1):
        mark = _MARK.search(line)
        if mark:
            marks.update((number, one) for one in re.findall(_CODE, mark[1]))
        texts.append(line[: mark.start()] if mark else line)
    text = "".join(f"{line}\n" for line in texts)
    return Block(section, dialect, attributes, text, frozenset(marks), int(place.rsplit(":", 1)[1]))


def _attributes(text: str, place: str) -> dict[str, str]:
    import shlex

    found = dict(item.partition("=")[::2] for item in shlex.split(text))
    for name, value in found.items():
        if (name in VERSIONS) != (not value) or name not in {*ATTRIBUTES, *VERSIONS}:
            known = ", ".join([*sorted(ATTRIBUTES), *VERSIONS])
            raise PageError(f"{place}: {name}={value} is no attribute; they are {known}")
    return found


def _listed(text: str, code: str, place: str) -> Iterator[tuple[int, str]]:
    """Yield the marks of `line=3,7:H01`: line numbers, each with the page's own code where it names none."""
    for item in filter(None, text.split(",")):
        line, _, named = item.partition(":")
        if not line.isdecimal():
            raise PageError(f"{place}: line={item} is no line number")
        yield int(line), named or code


def cases(found: Iterable[Block]) -> list[Case]:
    """Join blocks that follow each other and are files of one config (`file=`, the same `case=`), and old with new."""
    joined: list[list[Block]] = []
    for block in found:
        last = joined[-1][-1] if joined else None
        if last is not None and _kin(last, block) and (_next_version(last, block) or _next_file(last, block)):
            joined[-1].append(block)
        else:
            joined.append([block])
    return [Case(parts[0].section, parts[0].dialect, tuple(parts)) for parts in joined]


def _next_file(one: Block, other: Block) -> bool:
    return "file" in one.attributes and "file" in other.attributes and one.version == other.version


def _next_version(one: Block, other: Block) -> bool:
    return (one.version, other.version) == VERSIONS


def _kin(one: Block, other: Block) -> bool:
    return (one.section, one.dialect, one.case) == (other.section, other.dialect, other.case)
