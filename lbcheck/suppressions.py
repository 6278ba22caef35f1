"""Comments that silence findings: `# lbcheck: ignore[D01, weight-skew; until=2027-01-31] reason`.

At the end of a line a comment speaks for that line, alone on a line for the next one that is no comment; where that
line opens a block, for the whole block. `file-ignore[...]` speaks for its file. A comment that is not understood,
has run out or silences nothing is itself a finding: E15, E13, E12.

On a Kubernetes object the annotation `lbcheck.dev/ignore: "K01, K06; until=2027-01-31 reason"` does the same.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from lbcheck.catalog import find
from lbcheck.findings import Hit
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lbcheck.catalog import Rule
    from lbcheck.model import Config
    from lbcheck.text import Source, Span

#: Words after `# lbcheck:` that belong to other readers of comments.
OTHER_VERBS = frozenset({"capacity", "v1"})

_COMMENT = pattern(r"#[ \t]*lbcheck:[ \t]*(?P<verb>[\w-]*)(?P<rest>[^\r\n]*)")
_BRACKET = pattern(r"[ \t]*\[(?P<inside>[^\]]*)\]")
_WORD = pattern(r"[^\s,][^,]*?(?=\s*(?:,|$))")
_DATE = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_UNTIL = pattern(r"[ \t]*until[ \t]*=[ \t]*(?P<date>[^\s,;]*)")


class Ignore:
    """One code in one comment.

    `span` is where the code stands. `reach` is the stretch of text that it silences: a line, or where `wide` a block
    or a file.
    """

    __slots__ = ("code", "reach", "span", "used", "wide")

    def __init__(self, code: str, span: Span, reach: tuple[int, int], *, wide: bool) -> None:
        self.code = code
        self.span = span
        self.reach = reach
        self.wide = wide
        self.used = False


class Comments:
    """What the comments of one config say: the codes that still hold, and the findings about comments."""

    __slots__ = ("hits", "ignores")

    def __init__(self) -> None:
        self.ignores: list[Ignore] = []
        self.hits: list[Hit] = []


class _Blocks:
    """Where the blocks end that open on a line; asked for only when a comment speaks for a line."""

    __slots__ = ("_config", "_ends")

    def __init__(self, config: Config) -> None:
        self._config = config
        self._ends: dict[tuple[int, int], int] | None = None

    def end(self, source: Source, line: int) -> int:
        """Return the end of the longest block that opens on the line, 0 where none does."""
        if self._ends is None:
            self._ends = {}
            for span in self._config.blocks():
                key = (id(span.source), span.line)
                self._ends[key] = max(span.end, self._ends.get(key, 0))
        return self._ends.get((id(source), line), 0)


def collect(config: Config, rules: Mapping[str, Rule], today: str) -> Comments:
    """Read the comments of a config. `today` is an ISO date, and "" stands for the clock's."""
    comments = Comments()
    blocks = _Blocks(config)
    for source in {id(source): source for source in config.files}.values():
        if "lbcheck:" in source.text:
            for match in _comments(source):
                _read(comments, blocks, source, match, rules, today)
    for span, reach in config.written_ignores():
        _annotation(comments, span, reach, rules, today)
    return comments


def _comments(source: Source) -> Iterator[re.Match[str]]:
    """Yield the comments for lbcheck; a `#` inside a word or a quoted string begins none."""
    text = source.text
    for match in _COMMENT.finditer(text):
        start = match.start()
        before = text[text.rfind("\n", 0, start) + 1 : start]
        quoted = _unbalanced(before) and _unbalanced(before.partition(" #")[0])
        if not quoted and (not before or before[-1] in " \t;{}") and match["verb"] not in OTHER_VERBS:
            yield match


def _unbalanced(text: str) -> bool:
    return bool(text.count('"') % 2 or text.count("'") % 2)


def _read(
    comments: Comments,
    blocks: _Blocks,
    source: Source,
    match: re.Match[str],
    rules: Mapping[str, Rule],
    today: str,
) -> None:
    span = source.span(match.start(), match.end())
    problem = _malformed(match)
    if problem:
        comments.hits.append(_invalid(span, *problem))
        return
    bracket = _BRACKET.match(match["rest"])
    inside = bracket["inside"] if bracket else ""
    codes, _, until = inside.partition(";")
    date = until.strip().removeprefix("until=").strip()
    if date and date < (today or _today()):
        comments.hits.append(_expired(span, codes.strip(), date))
        return
    offset = match.start("rest") + (bracket.start("inside") if bracket else 0)
    reach: tuple[int, int] | None = None
    wide = False
    for code, at in _named(comments, source, offset, codes, rules):
        reach, wide = _reach(blocks, source, match) if reach is None else (reach, wide)
        comments.ignores.append(Ignore(code, at, reach, wide=wide))


def _named(
    comments: Comments, source: Source, offset: int, codes: str, rules: Mapping[str, Rule]
) -> Iterator[tuple[str, Span]]:
    """Yield the codes that a list of codes and names stands for, each with its place; report the others."""
    for word in _WORD.finditer(codes):
        at = source.span(offset + word.start(), offset + word.end())
        rule = find(word[0], rules)
        if rule is None:
            comments.hits.append(_unknown(at, word[0], rules))
        else:
            yield rule.code, at


def _annotation(comments: Comments, span: Span, reach: Span, rules: Mapping[str, Rule], today: str) -> None:
    """Read `K01, K06; until=2027-01-31 reason`; what stands behind the semicolon is a date or a reason."""
    written = span.text
    text = written.strip("\"'")
    codes, _, rest = text.partition(";")
    example = "`K01, weight-zero; until=2030-12-31 reason`"
    if not codes.strip(" \t,"):
        comments.hits.append(_invalid(span, "it names no rule, so it silences nothing", f"name the rules: {example}"))
        return
    until = _UNTIL.match(rest)
    if until is not None and not _is_date(until["date"]):
        problem = f'"{until["date"]}" is no date to keep to, so the annotation does nothing'
        comments.hits.append(_invalid(span, problem, f"write {example}"))
        return
    if until is not None and until["date"] < (today or _today()):
        comments.hits.append(_expired(span, codes.strip(), until["date"]))
        return
    offset = span.start + written.index(text)
    for code, at in _named(comments, span.source, offset, codes, rules):
        comments.ignores.append(Ignore(code, at, (reach.start, reach.end + 1), wide=True))


def _malformed(match: re.Match[str]) -> tuple[str, str] | None:
    """Return (problem, advice) where a comment is not one of the two forms."""
    verb = match["verb"]
    if verb not in ("ignore", "file-ignore"):
        from lbcheck.spelling import closest

        meant = closest(verb, ("ignore", "file-ignore", "capacity")) or "ignore"
        example = "`# lbcheck: capacity=200`" if meant == "capacity" else f"`# lbcheck: {meant}[D01] reason`"
        return f'"{verb}" is no word that lbcheck knows in a comment, so the comment does nothing', f"write {example}"
    bracket = _BRACKET.match(match["rest"])
    example = f"`# lbcheck: {verb}[D01, weight-zero; until=2030-12-31] reason`"
    if bracket is None:
        return f"{verb} names no rules in brackets, so it silences nothing", f"name them: {example}"
    codes, semicolon, until = bracket["inside"].partition(";")
    if not codes.strip(" \t,"):
        return f"the brackets of {verb} are empty, so it silences nothing", f"name the rules: {example}"
    name, _, date = until.strip().partition("=")
    if semicolon and (name.strip() != "until" or not _is_date(date.strip())):
        return f'"{until.strip()}" is no date to keep to, so the comment does nothing', f"write {example}"
    return None


def _is_date(text: str) -> bool:
    from datetime import date

    try:
        return bool(_DATE.match(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _today() -> str:
    from time import strftime

    return strftime("%Y-%m-%d")


def _reach(blocks: _Blocks, source: Source, match: re.Match[str]) -> tuple[tuple[int, int], bool]:
    """Return the stretch of text that a comment speaks for, as [start, end), and whether it is more than a line."""
    if match["verb"] == "file-ignore":
        return (0, len(source.text) + 1), True
    number = source.position(match.start())[0]
    if not source.line(number)[: match.start() - source.line_start(number)].strip():
        number += 1
        while source.line(number).lstrip().startswith("#"):
            number += 1
        if not source.line(number).strip():
            return (0, 0), False
    start = source.line_start(number)
    end = blocks.end(source, number)
    line_end = start + len(source.line(number)) + 1
    return (start, max(end, line_end)), end > line_end


def _invalid(span: Span, problem: str, advice: str) -> Hit:
    return Hit("E15", span, {"problem": problem, "advice": advice})


def _unknown(span: Span, word: str, rules: Mapping[str, Rule]) -> Hit:
    from lbcheck.spelling import closest

    meant = closest(word.lower(), [rule.name for rule in rules.values()])
    advice = f"did you mean {meant}?" if meant else "`lbcheck rule --all` lists the codes and names"
    return _invalid(span, f'"{word}" is the code or name of no rule, so it silences nothing', advice)


def _expired(span: Span, codes: str, date: str) -> Hit:
    problem = f"the reason to ignore {codes} ran out on {date}: what it silenced is reported again"
    return Hit("E13", span, {"problem": problem, "advice": "mend what is reported, or set a later date with a reason"})


def unused(ignores: Iterable[Ignore], ran: Collection[str], rules: Mapping[str, Rule]) -> Iterator[Hit]:
    """Yield E12 for each code that silenced nothing although its rule ran."""
    for ignore in ignores:
        if not ignore.used and ignore.code in ran and ignore.code != "E12":
            problem = f"nothing here raises {ignore.code} {rules[ignore.code].name}, so the comment silences nothing"
            advice = f"delete {ignore.span.text} from the comment, or it hides the next such defect"
            yield Hit("E12", ignore.span, {"problem": problem, "advice": advice})


def silence(hits: Sequence[Hit], ignores: Sequence[Ignore]) -> list[Hit]:
    """Return the hits that no comment silences; mark the comments that silence one as used."""
    return split(hits, ignores)[0]


def split(hits: Sequence[Hit], ignores: Sequence[Ignore]) -> tuple[list[Hit], list[tuple[Hit, Ignore]]]:
    """Return the hits that no comment silences, and the others with a comment each; mark the comments as used."""
    if not ignores:
        return list(hits), []
    lines: dict[tuple[int, str, int], list[Ignore]] = {}
    wide: dict[tuple[int, str], list[Ignore]] = {}
    for ignore in sorted(ignores, key=lambda one: (one.reach[0], -one.reach[1])):
        source = ignore.span.source
        if ignore.wide:
            wide.setdefault((id(source), ignore.code), []).append(ignore)
        else:
            lines.setdefault((id(source), ignore.code, source.position(ignore.reach[0])[0]), []).append(ignore)
    nests = {key: _Nest(found) for key, found in wide.items()}
    answers = [(hit, _silencing(hit, lines, nests)) for hit in hits]
    return [hit for hit, ignore in answers if ignore is None], [
        (hit, ignore) for hit, ignore in answers if ignore is not None
    ]


class _Nest:
    """Stretches of text of which one may lie inside another, asked for those around an offset."""

    __slots__ = ("_ignores", "_parents", "_starts")

    def __init__(self, ignores: list[Ignore]) -> None:
        """Take the stretches in order of their starts, the longer one first where two start together."""
        self._ignores = ignores
        self._starts = [ignore.reach[0] for ignore in ignores]
        self._parents: list[int] = []
        around: list[int] = []
        for index, ignore in enumerate(ignores):
            while around and ignores[around[-1]].reach[1] <= ignore.reach[0]:
                around.pop()
            self._parents.append(around[-1] if around else -1)
            around.append(index)

    def around(self, offset: int) -> Iterator[Ignore]:
        """Yield the stretches that hold the offset, the innermost first."""
        index = bisect_right(self._starts, offset) - 1
        while index >= 0:
            if offset < self._ignores[index].reach[1]:
                yield self._ignores[index]
            index = self._parents[index]


def _silencing(
    hit: Hit, lines: Mapping[tuple[int, str, int], list[Ignore]], nests: Mapping[tuple[int, str], _Nest]
) -> Ignore | None:
    """Return one of the comments that silence a hit, None where none does; mark all of them as used."""
    span = hit.span
    key = (id(span.source), hit.code)
    found = list(nests[key].around(span.start)) if key in nests else []
    # A comment behind the last line of a directive that is folded over several lines speaks for it too.
    for line in {span.line, span.source.position(max(span.start, span.end - 1))[0]}:
        found += lines.get((*key, line), ())
    for ignore in found:
        ignore.used = True
    return found[0] if found else None
