"""Environment variables that a config names and does not set: they live on the server, and are made up.

Values of lbcheck's own environment are not handed on: a config under review must not read the secrets of a CI job.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: `${NAME}`, and `$NAME`; `${NAME-default}` needs no value (HAProxy's management guide, 2.3. "Environment variables").
_NAMED = re.compile(r"\$(?:\{(?P<a>[A-Za-z_]\w*)(?:\[\*\])?\}|(?P<b>[A-Za-z_]\w*))", re.ASCII)
_ADDRESS = re.compile(r"addr|host|(?:^|_)ip(?:v?4)?(?:$|_)", re.IGNORECASE)
_PORT = re.compile(r"port", re.IGNORECASE)
_FOLDER = re.compile(r"dir|path|home|root", re.IGNORECASE)
#: Variables of the loader, of OpenSSL and of languages that name code, or files that name code.
LOADING = re.compile(r"(?:LD|DYLD|OPENSSL|GCONV|GLIBC|MALLOC|LUA|PYTHON|PERL|P11|PKCS11)[A-Z0-9]*(?:_|$)")
#: Variables that steer the C library or a shell besides.
_STEERING = re.compile(r"(?:SSL|RES|LOC|NLS|NIS|TZ|TMP|TEMP|BASH)[A-Z0-9]*(?:_|$)|HOSTALIASES|PATH$|IFS$|ENV$|SHELL")
_FIRST_PORT = 21000


def named(text: str) -> list[str]:
    """Return the variables without a default of their own that a text names, in order."""
    return list(dict.fromkeys(match["a"] or match["b"] for match in _NAMED.finditer(text)))


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the values of the variables that are known."""
    return _NAMED.sub(lambda match: values.get(match["a"] or match["b"], match[0]), text)


def made_up(names: Iterable[str], folder: str) -> dict[str, str]:
    """Return a value for each variable, after its name: an address, a port, the config's folder, or the number 1.

    No two addresses are the same, nor two ports.
    """
    found: dict[str, str] = {}
    for number, name in enumerate(names):
        if LOADING.match(name) or _STEERING.match(name):
            continue
        if _PORT.search(name):
            found[name] = str(_FIRST_PORT + number)
        elif _ADDRESS.search(name):
            found[name] = f"127.1.{number >> 8 & 255}.{number & 255 or 1}"
        else:
            found[name] = folder if _FOLDER.search(name) else "1"
    return found
