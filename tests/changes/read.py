"""Two versions of texts, compared."""

from __future__ import annotations

from lbcheck import engine
from lbcheck.changes.compare import compare
from lbcheck.changes.outcome import Version
from lbcheck.declared import declare
from lbcheck.dialects import dialect
from lbcheck.files import DiskFiles
from lbcheck.settings import from_text
from lbcheck.traffic.assemble import BROKEN, traffic
from lbcheck.traffic.scenario import Scenario

NAMES = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg", "envoy": "envoy.yaml", "native": "lb.yaml"}
HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s

frontend web
    bind 127.0.0.1:8080
    default_backend app

"""


def haproxy(*lines, rest=""):
    """Return a HAProxy config whose frontend sends everything to the backend `app` of these lines."""
    return HAPROXY + "backend app\n" + "".join(f"    {line}\n" for line in lines) + rest


def nginx(*lines, rest=""):
    """Return an nginx config whose server sends everything to the upstream `app` of these lines."""
    inside = "".join(f"        {line}\n" for line in lines)
    return (
        f"http {{\n    upstream app {{\n{inside}    }}\n{rest}"
        "    server {\n        listen 8080;\n        location / { proxy_pass http://app; }\n    }\n}\n"
    )


def versions(name, texts, toml=""):
    """Return the versions of configs: path → text, or one text."""
    if isinstance(texts, str):
        texts = {NAMES[name]: texts}
    settings = from_text(toml)
    found = []
    for path, text in texts.items():
        for config in dialect(name).read([path], DiskFiles(["/nonexistent"], memory={path: text})):
            declare(config, settings.declarations())
            broken = engine.broken(config)
            part = traffic(config, Scenario(demands=settings.demands), broken=broken)
            found.append(Version(config, part, path, BROKEN if broken else None))
    return found


def changes(name, old, new, toml=""):
    """Return the changes of configs."""
    return compare(versions(name, old, toml), versions(name, new, toml))


def pools(name, old, new, toml=""):
    """Return name → change of all pools."""
    return {pool.name: pool for change in changes(name, old, new, toml) for pool in change.pools}


def app(name, old, new, toml=""):
    """Return the change of the pool `app`; a list of lines stands for its config."""
    make = {"nginx": nginx, "haproxy": haproxy}.get(name)
    texts = [text if isinstance(text, str) else make(*text) for text in (old, new)]
    return pools(name, *texts, toml)["app"]


def addresses(*numbers, more=""):
    """Return server lines of nginx."""
    return [f"server 10.0.0.{number}:80{more};" for number in numbers]


def named(*numbers, more=""):
    """Return server lines of HAProxy."""
    return [f"server s{number} 10.0.0.{number}:80 check{more}" for number in numbers]
