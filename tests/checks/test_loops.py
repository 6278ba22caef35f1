from __future__ import annotations

import pytest
from checks.build import config, frontend, hits, listener, pool, route, server, span, when, written

from lbcheck.checks.loops import proxy_loop
from lbcheck.model import Route, WeightedTarget


def to(made):
    return Route("/", span(), ((),), [WeightedTarget(made.name, span(), made)])


def path(made, prefix, **options):
    match = ((when("path", "prefix", prefix),),)
    return Route(prefix, span(), match, [WeightedTarget(made.name, span(), made)], options=options)


def looping(bind, where, **fields):
    app = pool("app", [server("a", where), server("b", "10.0.0.9:9000")], **fields)
    return hits(proxy_loop, config(app, frontend("web", [to(app)], [listener(bind)])))


@pytest.mark.parametrize(
    ("bind", "where"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("*:8080", "127.0.0.1:8080"),
        (":8080", "localhost:8080"),
        ("10.0.0.1:80", "10.0.0.1:80"),
    ],
)
def test_a_server_that_is_the_listener(bind, where):
    (hit,) = looping(bind, where)
    assert (hit.server, hit.severity) == ("a", "warning")


@pytest.mark.parametrize(
    ("bind", "where"),
    [("127.0.0.1:8080", "127.0.0.1:8081"), ("*:8080", "10.0.0.1:8080"), ("10.0.0.1:80", "127.0.0.1:80")],
)
def test_other_places(bind, where):
    assert not looping(bind, where)


def test_a_lone_server_and_a_hash_loop_for_certain():
    app = pool("app", [server("a", "127.0.0.1:80")])
    (hit,) = hits(proxy_loop, config(app, frontend("web", [to(app)], [listener("*:80")])))
    assert hit.severity is None
    (hit,) = looping("*:80", "127.0.0.1:80", algorithm="source")
    assert hit.severity is None


def test_a_pool_of_nothing_but_loops():
    both = pool("app", [server("a", "127.0.0.1:80"), server("b", "127.0.0.2:80")])
    found = hits(proxy_loop, config(both, frontend("web", [to(both)], [listener("*:80")])))
    assert [(hit.server, hit.severity) for hit in found] == [("a", None), ("b", None)]
    assert all(hit.args["effect"].startswith("every request") for hit in found)
    spare = pool("app", [server("a", "127.0.0.1:80"), server("b", "127.0.0.2:80", role="backup")])
    found = hits(proxy_loop, config(spare, frontend("web", [to(spare)], [listener("*:80")])))
    assert [(hit.server, hit.severity) for hit in found] == [("a", None), ("b", "warning")]


def test_two_tiers_are_no_loop():
    app, local = pool("app", [server("a", "10.0.0.1:80")]), pool("local", [server("l", "127.0.0.1:8080")])
    outer, inner = frontend("tls", [to(local)], [listener("*:443")]), frontend("web", [to(app)], [listener("*:8080")])
    assert not hits(proxy_loop, config(app, local, outer, inner))
    shared = frontend("web", [to(local), to(app)], [listener("*:8080")])
    assert not hits(proxy_loop, config(app, local, shared))
    answering = frontend("web", [route(None, outcome="answer"), to(local)], [listener("*:8080")])
    assert not hits(proxy_loop, config(app, local, answering))


def test_the_exact_listener_answers_before_the_wildcard():
    app, local = pool("app", [server("a", "10.0.0.1:80")]), pool("local", [server("l", "127.0.0.1:80")])
    outer, inner = (
        frontend("out", [to(local)], [listener("*:80")]),
        frontend("in", [to(app)], [listener("127.0.0.1:80")]),
    )
    assert not hits(proxy_loop, config(app, local, outer, inner))


def test_an_address_that_the_config_binds_elsewhere_is_its_own():
    app = pool("app", [server("a", "10.0.0.1:80")])
    made = config(app, frontend("web", [to(app)], [listener("*:80"), listener("10.0.0.1:443", tls=True)]))
    assert hits(proxy_loop, made)


def test_what_is_not_understood_or_out_of_rotation_does_not_loop():
    app = pool("app", [server("a", "127.0.0.1:80", disabled=written(True))])
    assert not hits(proxy_loop, config(app, frontend("web", [to(app)], [listener("*:80")])))
    app = pool("app", [server("a", "127.0.0.1:80")])
    assert not hits(proxy_loop, config(app, frontend("web", [to(app)], [listener("*:80", tls=True)])))
    assert not hits(proxy_loop, config(app, frontend("web", [to(app)], [listener("*:80", transport="udp")])))
    assert not hits(proxy_loop, config(app, frontend("web", [to(app)], [listener("*:80")], protocol="tcp")))


def test_what_is_not_covered_by_a_route_ends_there():
    app = pool("app", [server("a", "127.0.0.1:80")])
    assert hits(proxy_loop, config(app, frontend("web", [path(app, "/")], [listener("*:80")])))
    assert not hits(proxy_loop, config(app, frontend("web", [path(app, "/api/")], [listener("*:80")])))
    for options in ({"pass": written("fastcgi")}, {"tls": written(True)}):
        assert not hits(proxy_loop, config(app, frontend("web", [path(app, "/", **options)], [listener("*:80")])))
    secure = frontend("web", [path(app, "/", tls=written(True))], [listener("*:80", tls=True)])
    assert hits(proxy_loop, config(app, secure))
