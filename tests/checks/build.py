"""Small model objects for tests of checks, each setting with a place of its own."""

from __future__ import annotations

from lbcheck.context import Context
from lbcheck.model import (
    EVERY_REQUEST,
    PRIMARY,
    Address,
    Algorithm,
    Condition,
    Config,
    Frontend,
    HealthCheck,
    Listener,
    Pool,
    Route,
    Server,
    Setting,
    WeightedTarget,
)
from lbcheck.text import Source


def span(text="x"):
    """A place that is written: the whole of a text of its own."""
    return Source("test.cfg", text).span(0, len(text))


def written(value):
    return Setting(value, span(str(value)))


def default(value):
    return Setting(value)


def address(text):
    host, _, port = text.rpartition(":")
    kind = "ipv4" if host.replace(".", "").isdigit() or host in ("", "*") else "name"
    return Address(text, kind, "" if host == "*" else host, int(port))


def probe(kind="tcp", *, interval=2, fall=3, timeout=None, **settings):
    """A health check as HAProxy has it by default; a float or int is a written value."""
    settings = {name: written(value) for name, value in settings.items()}
    return HealthCheck(
        kind,
        span("check"),
        interval=written(interval),
        fall=written(fall),
        timeout=None if timeout is None else written(timeout),
        **settings,
    )


def server(name="a", where="10.0.0.1:80", *, weight=1, role=PRIMARY, checked=True, line=None, **fields):
    return Server(
        name,
        address(where),
        line or span(f"server {name} {where}"),
        written(weight) if weight != 1 else default(1),
        role,
        checked=None if checked is None else default(checked),
        **fields,
    )


def servers(count, **fields):
    return [server(f"s{number}", f"10.0.0.{number}:80", **fields) for number in range(1, count + 1)]


def pool(name, members, algorithm="roundrobin", **fields):
    algorithm = Algorithm(algorithm, span(algorithm)) if isinstance(algorithm, str) else algorithm
    return Pool(name, span(f"backend {name}"), members, algorithm, **fields)


def when(field, op, *values, **more):
    return Condition(field, op, values, **more)


def route(target, *alternatives, outcome="pools", line=None, **fields):
    """A route to the pool of this name (None: to none); every alternative is one condition or a tuple of them."""
    match = tuple(each if isinstance(each, tuple) else (each,) for each in alternatives) or EVERY_REQUEST
    label = f"route to {target}" if target else outcome
    place = line or span(label)
    return Route(label, place, match, [WeightedTarget(target, place)] if target else [], outcome, **fields)


def listener(where, **fields):
    return Listener(address(where), span(f"bind {where}"), **fields)


def frontend(name, routes=(), listeners=(), **fields):
    return Frontend(name, span(f"frontend {name}"), listeners, routes, **fields)


def config(*parts, dialect="haproxy"):
    made = Config(dialect, "test.cfg", [])
    made.pools = [part for part in parts if isinstance(part, Pool)]
    made.frontends = [part for part in parts if isinstance(part, Frontend)]
    return made


def hits(check, made, context=None):
    return list(check(made, context or Context()))
