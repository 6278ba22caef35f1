"""Server lines into the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy.addresses import server_address
from lbcheck.dialects.haproxy.health import server_check
from lbcheck.dialects.haproxy.options import OptionSetting, count, flag, text, time
from lbcheck.dialects.haproxy.values import number, seconds
from lbcheck.dialects.haproxy.words import words
from lbcheck.model import BACKUP, PRIMARY, Server, Setting
from lbcheck.text import Span

if TYPE_CHECKING:
    from lbcheck.dialects.haproxy.health import ProxyCheck
    from lbcheck.dialects.haproxy.options import Option, Options
    from lbcheck.dialects.haproxy.serverlines import ServerLine

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


def server(entry: ServerLine, check: ProxyCheck) -> Server:
    """Turn one server line into the model."""
    line = entry.line
    options = entry.options
    index = entry.address_index
    get = options.get
    observe = get("observe")
    return Server(
        entry.name if not entry.template else f"{entry.name}{entry.low}-{entry.low + entry.count - 1}",
        server_address(line.words[index], opaque=index in line.opaque),
        Span(line.source, line.start, line.end),
        count(get("weight")) or _DEFAULT_WEIGHT,
        BACKUP if "backup" in options else PRIMARY,
        disabled=flag(get("disabled")),
        check=server_check(options, check) if "check" in options else None,
        checked=flag(get("check") or get("track")) or _unchecked(get("no-check")),
        passive=observe is not None and observe.value != "none",
        max_conns=count(get("maxconn")),
        slow_start=time(get("slowstart")),
        cookie=text(get("cookie")),
        tls=flag(get("ssl")),
        resolve=flag(get("resolvers")),
        tracks=text(get("track")),
        count=entry.count,
        options=_others(options),
    )


def _unchecked(no_check: Option | None) -> Setting[bool]:
    """Return False, with a place where somebody wrote that the server shall not be checked."""
    return _UNCHECKED if no_check is None else OptionSetting(False, no_check)


def _others(options: Options) -> dict[str, Setting[Any]] | None:
    """Return the options without a field of their own; numbers as int, times as seconds, flags as True."""
    limit = options.get("maxconn")
    unknown = limit is not None and limit.opaque
    if options.keys() <= _FIELDS and not unknown:
        return None
    others: dict[str, Setting[Any]] = {}
    for keyword, option in options.items():
        if keyword not in _FIELDS:
            others[keyword] = OptionSetting(_value(keyword, option), option)
    if limit is not None and unknown:
        others["opaque limit"] = OptionSetting(True, limit)
    return others


def _value(keyword: str, option: Option) -> Any:
    if keyword in _NUMBERS and not option.opaque:
        return number(option.value)
    if keyword in _TIMES and not option.opaque:
        return seconds(option.value)
    return option.value or True
