"""The names that a proxy may want to see in the certificates of a pool's servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.model import Pool, Route

#: HAProxy's words for such a name; `sni` takes an expression, of which constants are known before it runs.
_HAPROXY = ("sni", "check-sni", "verifyhost")
_CONSTANT = re.compile(r"str\(\s*['\"]?([^'\"()]+)['\"]?\s*\)")


def identities(pool: Pool, routes: Sequence[Route]) -> Iterator[str]:
    """Yield names from the servers' parameters, or from the routes of nginx, which takes the pool's own by default."""
    for server in pool.servers:
        for keyword in _HAPROXY:
            setting = server.options.get(keyword)
            if setting is not None and isinstance(setting.value, str):
                found = _CONSTANT.match(setting.value)
                yield found[1] if found else setting.value
    for route in routes:
        if "tls" in route.options:
            yield pool.name.rpartition(":")[0] or pool.name
            name = route.options.get("ssl_name")
            if name is not None:
                yield str(name.value).partition(":")[0]


def verified(pool: Pool, routes: Sequence[Route]) -> bool:
    """Say whether the proxy looks at the certificates of the pool's servers."""
    usual = pool.options.get("ssl-server-verify")
    for server in pool.servers:
        if server.tls is not None and server.tls.value:
            own = server.options.get("verify", usual)
            if own is None or own.value != "none":
                return True
    return any("tls" in route.options and _is_on(route, "ssl_verify") for route in routes)


def _is_on(route: Route, keyword: str) -> bool:
    setting = route.options.get(keyword)
    return setting is not None and setting.value == "on"
