"""nginx's own tokeniser, written over word by word from `ngx_conf_read_token` and `ngx_conf_parse`: slow, and right."""

from __future__ import annotations

BLANKS = " \t\r\n"
ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}


class RefusedError(Exception):
    """What nginx would print, without the line."""


def unescaped(word):
    out, at = [], 0
    while at < len(word):
        if word[at] == "\\" and at + 1 < len(word):
            following = word[at + 1]
            if following in "\"'\\":
                at += 1
            elif following in ESCAPED:
                out.append(ESCAPED[following])
                at += 2
                continue
        out.append(word[at])
        at += 1
    return "".join(out)


def statement(text, at):  # noqa: PLR0912 - as long as the original, to be read beside it
    """Return (words, end mark, offset behind it): the mark is ";", "{", "}" or "" at the end of the file."""
    words = []
    need_space = comment = variable = quoted = single = double = False
    last_space, start = True, at
    while True:
        if at >= len(text):
            if words or not last_space:
                raise RefusedError('unexpected end of file, expecting ";" or "}"')
            return words, "", at
        ch = text[at]
        at += 1
        if ch == "\n":
            comment = False
        if comment:
            continue
        if quoted:
            quoted = False
            continue
        if need_space:
            if ch in BLANKS:
                last_space, need_space = True, False
                continue
            if ch in ";{":
                return words, ch, at
            if ch != ")":
                raise RefusedError(f'unexpected "{ch}"')
            last_space, need_space = True, False
        if last_space:
            start = at - 1
            if ch in BLANKS:
                continue
            if ch in ";{":
                if not words:
                    raise RefusedError(f'unexpected "{ch}"')
                return words, ch, at
            if ch == "}":
                if words:
                    raise RefusedError('unexpected "}"')
                return words, ch, at
            if ch == "#":
                comment = True
                continue
            last_space = False
            if ch == "\\":
                quoted = True
            elif ch == '"':
                start, double = at, True
            elif ch == "'":
                start, single = at, True
            elif ch == "$":
                variable = True
            continue
        if ch == "{" and variable:
            continue
        variable = False
        if ch == "\\":
            quoted = True
            continue
        if ch == "$":
            variable = True
            continue
        found = False
        if double:
            if ch == '"':
                double, need_space, found = False, True, True
        elif single:
            if ch == "'":
                single, need_space, found = False, True, True
        elif ch in BLANKS or ch in ";{":
            last_space = found = True
        if found:
            words.append(unescaped(text[start : at - 1]))
            if ch in ";{":
                return words, ch, at


def statements(text):
    """Return ([(depth, words, is a block)], what nginx would print or None) of a whole file."""
    found, depth, at = [], 0, 0
    try:
        while True:
            words, mark, at = statement(text, at)
            if mark == "}":
                if not depth:
                    return found, 'unexpected "}"'
                depth -= 1
            elif not mark:
                return found, 'unexpected end of file, expecting "}"' if depth else None
            else:
                found.append((depth, words, mark == "{"))
                depth += mark == "{"
    except RefusedError as error:
        return found, str(error)
