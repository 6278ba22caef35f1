"""Requests for which an nginx `map` names a pool, where a route's value leads to several."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lbcheck.rehearsal.preparing.samples import matching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.model import Config
    from lbcheck.rehearsal.preparing.samples import Sample

#: Words of a map block that are no values of its source.
_OTHER = frozenset({"default", "hostnames", "volatile", "include"})
#: So many requests are tried for a pool.
_MOST = 4


def mapped(config: Config, name: str, sample: Sample) -> Iterator[Sample]:
    """Yield a few requests like the sample for which a map's value is the pool's name."""
    known = ((source, _value(key)) for source, key in _entries(config, name))
    changed = (_with(sample, source, value) for source, value in known if value is not None)
    yield from islice(filter(None, changed), _MOST)


def _entries(config: Config, name: str) -> Iterator[tuple[str, str]]:
    """Yield the source and the key of each entry of a map that leads to a name."""
    for scope in config.tree.walk():
        for directive in scope.directives:
            if directive.name == "map" and len(directive.args) == 2:
                for entry in directive.children or ():
                    if entry.args == [name] and entry.name not in _OTHER:
                        yield directive.args[0].strip("${}"), entry.name


def _value(key: str) -> str | None:
    """Return a value that an entry takes: `~` begins a regular expression, a dot or an asterisk a host's domain."""
    if key.startswith("~"):
        return matching(key.lstrip("~*"))
    return key.removeprefix("\\").replace("*", "www").strip(".")


def _with(sample: Sample, variable: str, value: str) -> Sample | None:
    """Return a request of which a variable of nginx has this value; None where nobody can ask for that."""
    headers = dict(sample.headers)
    if variable in {"host", "http_host"}:
        headers["Host"] = value
    elif variable.startswith("cookie_"):
        headers["Cookie"] = f"{variable.removeprefix('cookie_')}={value}"
    elif variable.startswith("http_"):
        headers[variable.removeprefix("http_").replace("_", "-")] = value
    elif variable.startswith("arg_"):
        return sample._replace(path=f"{sample.path}?{variable.removeprefix('arg_')}={value}", open_end=False)
    else:
        return None
    return sample._replace(headers=tuple(headers.items()))
