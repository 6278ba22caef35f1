"""Server lines into the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy.addresses import plain_address, server_address
from lbcheck.dialects.haproxy.health import ServerCheck
from lbcheck.dialects.haproxy.options import OptionSetting, count, flag, setting, text, time
from lbcheck.dialects.haproxy.values import number, seconds
from lbcheck.dialects.haproxy.words import words
from lbcheck.model import BACKUP, PRIMARY, Server, Setting
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lbcheck.dialects.haproxy.health import ProxyCheck
    from lbcheck.dialects.haproxy.options import Option, Options
    from lbcheck.dialects.haproxy.serverlines import ServerLine
    from lbcheck.dialects.haproxy.tree import Line

_DEFAULT_WEIGHT: Setting[int] = Setting(1)
_UNCHECKED: Setting[bool] = Setting(False)
#: Options that have a field of their own in the model.
_FIELDS = words(
    """
    weight backup no-backup enabled disabled check no-check inter fastinter downinter rise fall port addr maxconn
    slowstart cookie ssl no-ssl track resolvers
    """
)
_NUMBERS = frozenset({"maxqueue", "minconn", "id", "error-limit", "max-reuse", "pool-max-conn", "pool-low-conn"})
_TIMES = frozenset({"agent-inter", "pool-purge-delay", "tcp-ut"})


class Mould:
    """What the servers of one shape have in common: made from the first of them, filled in for the others.

    `fields` are those that the options make; `own` and `own_options` are what is written on a server's line, which
    every server has in a place of its own.
    """

    __slots__ = ("checked", "fields", "own", "own_options")

    def __init__(self, entry: ServerLine) -> None:
        self.checked = "check" in entry.options
        others = _others(entry.options)
        self.fields = {name: value for name, value in _fields(entry.options).items() if value is not None}
        self.own = _written_on(entry.line, self.fields)
        self.own_options = _written_on(entry.line, others)
        if others:
            self.fields["options"] = others


def _written_on(line: Line, settings: Mapping[str, object]) -> list[tuple[str, OptionSetting[Any]]]:
    return [(name, one) for name, one in settings.items() if isinstance(one, OptionSetting) and one.line is line]


def server(entry: ServerLine, check: ProxyCheck) -> Server:
    """Turn one server line into the model."""
    line = entry.line
    text = line.words[entry.address_index]
    mould = entry.shape.mould
    if not isinstance(mould, Mould):
        mould = entry.shape.mould = Mould(entry)
    made = Server(
        f"{entry.name}{entry.low}-{entry.low + entry.count - 1}" if entry.template else entry.name,
        plain_address(text) if entry.simple else server_address(text, opaque=entry.address_index in line.opaque),
        Span(line.source, line.start, line.end),
        check=ServerCheck(entry, check) if mould.checked else None,
        count=entry.count,
        **mould.fields,
    )
    for name, one in mould.own:
        setattr(made, name, one.on(line))
    if mould.own_options:
        made.options = {**made.options, **{name: one.on(line) for name, one in mould.own_options}}
    return made


def _fields(options: Options) -> dict[str, Any]:
    """Return the fields of a server that its options make."""
    get = options.get
    observe = get("observe")
    return {
        "weight": count(get("weight")) or _DEFAULT_WEIGHT,
        "role": BACKUP if "backup" in options else PRIMARY,
        "disabled": flag(get("disabled")),
        "checked": flag(get("check") or get("track")) or _unchecked(get("no-check")),
        "passive": observe is not None and observe.value != "none",
        "max_conns": count(get("maxconn")),
        "slow_start": time(get("slowstart")),
        "cookie": text(get("cookie")),
        "tls": flag(get("ssl")),
        "resolve": flag(get("resolvers")),
        "tracks": text(get("track")),
    }


def _unchecked(no_check: Option | None) -> Setting[bool]:
    """Return False, with a place where somebody wrote that the server shall not be checked."""
    return _UNCHECKED if no_check is None else setting(False, no_check)


def _others(options: Options) -> dict[str, Setting[Any]]:
    """Return the options without a field of their own; numbers as int, times as seconds, flags as True."""
    others: dict[str, Setting[Any]] = {}
    for keyword, option in options.items():
        if keyword not in _FIELDS:
            others[keyword] = setting(_value(keyword, option), option)
    limit = options.get("maxconn")
    if limit is not None and limit.opaque:
        others["opaque limit"] = setting(True, limit)
    return others


def _value(keyword: str, option: Option) -> Any:
    if keyword in _NUMBERS and not option.opaque:
        return number(option.value)
    if keyword in _TIMES and not option.opaque:
        return seconds(option.value)
    return option.value or True
