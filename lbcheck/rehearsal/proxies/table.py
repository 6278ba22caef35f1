"""Which proxies are rehearsed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.envoy import adapter as envoy
from lbcheck.rehearsal.proxies.haproxy import adapter as haproxy
from lbcheck.rehearsal.proxies.nginx import adapter as nginx
from lbcheck.rehearsal.proxies.traefik import adapter as traefik

if TYPE_CHECKING:
    from lbcheck.rehearsal.proxies.seam import Adapter

_ADAPTERS = {"nginx": nginx.ADAPTER, "haproxy": haproxy.ADAPTER, "envoy": envoy.ADAPTER, "traefik": traefik.ADAPTER}


def adapter(dialect: str) -> Adapter:
    """Return what is known of a dialect's proxy, one of `wishes.REHEARSED`."""
    return _ADAPTERS[dialect]


def named_by(path: str) -> str | None:
    """Return the dialect whose proxy a program is called after ("/opt/envoy-1.40" is Envoy); None for other names."""
    name = os.path.basename(path)
    return next((dialect for dialect, proxy in _ADAPTERS.items() if name.startswith(proxy.program)), None)
