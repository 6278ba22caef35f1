"""Secrets that configs hold are never printed: not in excerpts, messages, names, fixes or machine formats.

What counts as one, in every dialect:

* the password of `stats auth`, of a userlist's `user … password` and `insecure-password`, of `redis-check`'s and
  `tcp-check send`'s AUTH; `dynamic-cookie-key`; `secure_link_secret` and `secure_link_md5`
* the value of a header, parameter or variable whose name says password, passphrase, secret, token, credential,
  authorization, API key, access key, private key or auth key: set by proxy_set_header, add_header,
  auth_http_header, fastcgi_param, http-request set-header, http-check send hdr, setenv, `set $…`, …, or compared
  with in a condition; and a Cookie header that the proxy sets
* the value of a directive or key of such a name (`basic_auth …`, `password: …`, `"api_key": "…"`)
* what follows Basic, Bearer, Digest, Token or ApiKey and looks like a credential
* the password in a URL (`http://user:password@host`), and query arguments of such names
* the text of a private key
* Envoy's `inline_string` and `inline_bytes`
* a password's hash as htpasswd writes it (`user:$apr1$…`), in Traefik's files and labels

The name of a file that holds a secret (auth_basic_user_file, ssl_password_file, ssl_certificate_key) is none, and
neither is a plain variable (`$http_authorization`). Masks are as long as what they hide, so that carets keep their
columns; columns give the length away in any case.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Source

#: How much of a line is looked at, and shown: a config may be one line of 16 MiB.
WINDOW = 4000

_NAMES = (
    r"passw(?:or)?d|passwd|passphrase|secret|token|credentials?|authorization"
    r"|(?:api|access|private|auth|signing|encryption|cookie)[_-]?key"
)
_WORD = rf"[\w.-]{{0,60}}(?:{_NAMES})"
_VALUE = r"""(?P<{0}>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|(?:\\.|[^\s;,\\{{}}])+)"""
_HEADER_SETTERS = (
    r"(?:\w+_set_header|add_header|auth_http_header|\w+_param|set|env"
    r"|(?:set|add|replace)-(?:header|var|map)|hdr|setenv|presetenv)"
)

_PATTERNS = (
    rf"\bstats\s+auth\s+[^\s:]*:{_VALUE.format('v0')}",
    rf"\b(?:insecure-)?password\s+{_VALUE.format('v1')}",
    rf"\b(?:dynamic-cookie-key|secure_link_secret|secure_link_md5)\s+{_VALUE.format('v2')}",
    rf"\b{_HEADER_SETTERS}\s+[\"']?\$?{_WORD}[\w-]{{0,30}}[\"']?\s+{_VALUE.format('v3')}",
    rf"(?:^|[;{{])\s*-?\s*[\"']?{_WORD}[\"']?\s*[:=\s]\s*{_VALUE.format('v4')}",
    rf"(?<![\w$.{{-]){_WORD}[\"']?\s*[:=]\s*{_VALUE.format('v5')}",
    rf"\$\{{?\w{{0,60}}(?:{_NAMES})\w{{0,30}}\}}?[\"']?\s*(?:!=|=|!~\*?|~\*?)\s*{_VALUE.format('v6')}",
    r"\b(?:bearer|(?:basic|digest|token|apikey)(?=\\?\s+\S+(?-i:[A-Z0-9=])))\\?\s+(?P<v7>[A-Za-z0-9+/=._~-]{6,})",
    r"://[^\s/:@\"']*:(?P<v8>[^\s/@\"']+)@",
    rf"[?&]{_WORD}=(?P<v9>[^&\s\"';]+)",
    r"\b(?-i:AUTH)\\?\s+(?P<v10>[^\s\"'\\]+)",
    r"\bbasic[_-]?auth[\"']?\s*[:\s]\s*(?P<v11>[^;{]+)",
    rf"\b\w+_set_header\s+[\"']?cookie[\"']?\s+{_VALUE.format('v12')}",
    rf"\binline_?(?:string|bytes)[\"']?\s*:\s*{_VALUE.format('v14')}",
    (
        rf"(?:\bacl\s+\S+|\{{)\s+(?:\w+\.)?(?:hdr\w*|url_param|urlp|cook\w*)\({_WORD}[^)]*\)(?:,\w+)*"
        rf"\s+(?:-m\s+\w+\s+|-\w\s+|--\s+)*{_VALUE.format('v13')}"
    ),
    r":(?P<v15>(?:\$\$?(?:apr1|2[abxy]|[156])\$|\{SHA\})[^\s\"',]+)",
)
#: A cheap test first: a line without any of these words holds nothing that the patterns find.
_HINT = pattern(
    r"auth|passw|secure_link|passphrase|secret|token|credential|cookie|key|basic|bearer|digest|inline|://[^\s/]*@|:\$|"
    r":\{sha",
    re.IGNORECASE,
)
_VARIABLE = pattern(r"""["']?\$\{?\w+\}?["']?$""")
_KEY_TEXT = pattern(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


@cache
def _secret() -> re.Pattern[str]:
    """Compile the patterns on use: most configs show no line with a secret."""
    return re.compile("|".join(_PATTERNS), re.IGNORECASE)


def ranges(line: str) -> list[tuple[int, int]]:
    """Return the [start, end) of each secret in a line, quotes excluded."""
    if not _HINT.search(line):
        return []
    found = []
    for match in _secret().finditer(line):
        start, end = match.span(match.lastgroup or 0)
        if _VARIABLE.match(line, start, end):
            continue
        quote = line[start]
        if quote in "\"'":
            start, end = start + 1, end - (line[end - 1] == quote and end - start > 1)
        found.append((start, end))
    return found


@lru_cache(maxsize=256)
def line_ranges(source: Source, number: int) -> list[tuple[int, int]]:
    """Return the secrets in line `number` of a source, as ranges of the line; the whole of it inside a private key.

    A finding asks for its line more than once.
    """
    line = source.line(number)
    start = source.line_start(number)
    inside = [(0, len(line)) for first, last in _key_texts(source) if first < start + len(line) and start < last]
    return inside or ranges(line[:WINDOW])


@lru_cache(maxsize=64)
def _key_texts(source: Source) -> list[tuple[int, int]]:
    if "PRIVATE KEY-----" not in source.text:
        return []
    return [match.span() for match in _KEY_TEXT.finditer(source.text)]


def masked(text: str, hidden: list[tuple[int, int]]) -> str:
    """Return the text with each range replaced by as many asterisks."""
    for start, end in hidden:
        text = f"{text[:start]}{'*' * (end - start)}{text[end:]}"
    return text


def secrets(source: Source, first: int, last: int) -> list[str]:
    """Return the secret words in lines `first` to `last` of a source, the longest first."""
    found: set[str] = set()
    for number in range(first, min(last, first + 50) + 1):
        line = source.line(number)
        found.update(line[start:end] for start, end in line_ranges(source, number))
    return sorted(filter(None, found), key=lambda word: (-len(word), word))


def without(text: str, words: list[str]) -> str:
    """Return the text with every secret word in it, and every password in a URL, replaced by asterisks."""
    for word in words:
        if word in text:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "***", text)
    return masked(text, ranges(text)) if "@" in text and "://" in text else text
