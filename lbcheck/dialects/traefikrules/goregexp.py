"""Why Go's regular expressions refuse a pattern, as far as that is certain (regexp/syntax of Go, RE2's language)."""

from __future__ import annotations

import re

from lbcheck.patterns import pattern

#: What may follow `(?` in Go: a group without capture, flags, or a name.
_GROUP = pattern(r"\?(?:[imsU]*(?:-[imsU]+)?[:)]|P?<[A-Za-z_]\w*>)")
_LOOKAROUND = ("?=", "?!", "?<=", "?<!", "?>")
_REPEAT = pattern(r"[*+?]|\{(\d{1,9})(,(\d{0,9}))?\}", re.ASCII)
#: Go repeats nothing more often than this.
_MAX_REPEAT = 1000


def problem(text: str) -> str | None:
    """Return what Go's `regexp.Compile` says of a pattern; None where it takes it, or where that is not certain."""
    reader = _Reader(text)
    try:
        while reader.at < len(text):
            reader.step()
    except _RefusedError as error:
        return str(error)
    return "missing closing )" if reader.depth else None


class _RefusedError(Exception):
    """What Go says of a pattern that it refuses."""


class _Reader:
    """Goes through a pattern. `atom`: something stands before that a repetition could repeat."""

    __slots__ = ("at", "atom", "depth", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.atom = False

    def step(self) -> None:
        """Read one element. Raises _RefusedError."""
        char = self.text[self.at]
        repeat = _REPEAT.match(self.text, self.at)
        if repeat is not None:
            self._repeat(repeat)
        else:
            self.atom = char not in "(|"
            _STEPS.get(char, _Reader._plain)(self)

    def _plain(self) -> None:
        self.at += 1

    def _close(self) -> None:
        self.depth -= 1
        if self.depth < 0:
            raise _RefusedError("unexpected )")
        self.at += 1

    def _escape(self) -> None:
        text, at = self.text, self.at
        follower = text[at + 1 : at + 2]
        if not follower:
            raise _RefusedError("trailing backslash at end of expression")
        if follower in "123456789" and not text[at + 2 : at + 3].isdigit():
            raise _RefusedError(f"it has no back references such as \\{follower}")
        if follower == "Q":
            end = text.find("\\E", at)
            at = len(text) if end < 0 else end
        self.at = at + 2

    def _class(self) -> None:
        self.at = _class_end(self.text, self.at)
        if self.at < 0:
            raise _RefusedError("missing closing ]")

    def _open(self) -> None:
        for word in _LOOKAROUND:
            if self.text.startswith(word, self.at + 1):
                raise _RefusedError(f"it has no look-around such as ({word}")
        group = _GROUP.match(self.text, self.at + 1)
        self.at = self.at + 1 if group is None else group.end()
        self.depth += group is None or not group[0].endswith(")")

    def _repeat(self, repeat: re.Match[str]) -> None:
        said, low, _, high = repeat[0], repeat[1], repeat[2], repeat[3]
        if not self.atom:
            raise _RefusedError(f"missing argument to repetition operator: {said}")
        many = low is not None and max(int(low), int(high or 0)) > _MAX_REPEAT
        if many or (low is not None and high and int(high) < int(low)):
            raise _RefusedError(f"invalid repeat count: {said}")
        self.at = repeat.end()
        self.at += self.text.startswith("?", self.at)
        again = _REPEAT.match(self.text, self.at)
        if again is not None:
            raise _RefusedError(f"invalid nested repetition operator: {self.text[repeat.start() : again.end()]}")


_STEPS = {"\\": _Reader._escape, "[": _Reader._class, "(": _Reader._open, ")": _Reader._close}  # noqa: SLF001


def _class_end(text: str, at: int) -> int:
    """Return where the class ends that begins at `at`; -1 where it never does."""
    at += 1
    at += text.startswith("^", at)
    first = True
    while at < len(text):
        if text[at] == "]" and not first:
            return at + 1
        if text.startswith("[:", at) and (end := text.find(":]", at)) >= 0:
            at = end + 2
        elif text[at] == "\\":
            at += 2
        else:
            at += 1
        first = False
    return -1
