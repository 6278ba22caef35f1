from __future__ import annotations

from checks.build import config, frontend, hits, pool, route, server, span, written

from lbcheck.checks.pools import all_disabled, pool_empty, pool_undefined, pool_unused
from lbcheck.model import Admin, Route, WeightedTarget


def to(made, **fields):
    """A route to this pool object."""
    return Route("/", span(), ((),), [WeightedTarget(made.name, span(made.name), made)], **fields)


def missing(name, words=None, **fields):
    return Route("/", span(), ((),), [WeightedTarget(name, span(words or f"use_backend {name}"))], **fields)


def test_an_empty_pool_unless_it_answers_itself():
    assert hits(pool_empty, config(pool("app", [])))
    assert not hits(pool_empty, config(pool("app", [server()])))
    assert not hits(pool_empty, config(pool("app", [], answers=True)))
    assert not hits(pool_empty, config(pool("app", [], open="server-template")))


def test_a_dead_pool_is_as_bad_as_the_routes_to_it():
    dead, app = pool("dead", []), pool("app", [server()])
    assert hits(pool_empty, config(dead, frontend("web", [to(dead)])))[0].severity == "error"
    assert hits(pool_empty, config(dead))[0].severity == "warning"
    unknown = route(None, outcome="unknown")
    assert hits(pool_empty, config(dead, frontend("web", [to(app), unknown])))[0].severity == "warning"
    assert not hits(pool_empty, config(dead, app, frontend("web", [to(app)])))


def test_what_a_dead_pool_does_where_no_route_is_seen():
    dead = pool("dead", [])
    (hit,) = hits(pool_empty, config(dead, frontend("web", [to(dead)])))
    assert hit.args["effect"] == "every request to it ends in an error"
    (hit,) = hits(pool_empty, config(dead))
    assert hit.args["effect"].startswith("no route to it was seen")


def test_a_dead_pool_that_an_api_may_fill():
    dead = pool("dead", [])
    made = config(dead, frontend("web", [to(dead)]))
    made.admins = [Admin("api", span(), None, writable=True, protected=None)]
    (hit,) = hits(pool_empty, made)
    assert (hit.severity, hit.args["effect"]) == (
        "warning",
        "unless the API adds one, every request to it ends in an error",
    )
    down = pool("down", [server("a", disabled=written(True))])
    made = config(down, frontend("web", [to(down)]))
    made.admins = [Admin("api", span(), None, writable=False, protected=None)]
    assert hits(all_disabled, made)[0].severity == "error"
    made.admins[0].writable = True
    (hit,) = hits(all_disabled, made)
    assert (hit.severity, hit.args["effect"]) == (
        "warning",
        "unless the API puts one back, every request to it ends in an error",
    )


def test_every_server_out_of_rotation():
    down = [server("a", disabled=written(True)), server("b", "10.0.0.2:80", disabled=written(True))]
    app = pool("app", down)
    (hit,) = hits(all_disabled, config(app, frontend("web", [to(app)])))
    assert (hit.severity, hit.args["servers"], len(hit.related)) == ("error", "2 servers", 2)
    assert not hits(all_disabled, config(pool("app", [*down, server("c", role="backup")])))
    assert not hits(all_disabled, config(pool("app", [])))
    assert not hits(all_disabled, config(pool("app", down, open="template")))
    kept = pool("app", down, options={"load-server-state-from-file": written("global")})
    (hit,) = hits(all_disabled, config(kept, frontend("web", [to(kept)])))
    assert hit.severity == "warning"
    assert hit.args["effect"] == "unless the state file puts one back, every request to it ends in an error"
    assert hits(all_disabled, config(kept))[0].severity == "warning"


def test_an_undefined_pool_is_named_with_the_nearest():
    made = config(pool("backend", [server()]), frontend("web", [missing("bakcend")]))
    (hit,) = hits(pool_undefined, made)
    assert hit.args["advice"] == "did you mean backend?"
    assert [edit.text for edit in hit.fix.edits] == ["backend"]
    assert hit.fix.edits[0].span.text == "bakcend"
    made.open = "an include is missing"
    assert not hits(pool_undefined, made)


def test_no_fix_where_two_pools_are_as_near():
    made = config(pool("app1", [server()]), pool("app2", [server()]), frontend("web", [missing("app3")]))
    (hit,) = hits(pool_undefined, made)
    assert hit.fix is None


def test_a_dynamic_name_falls_through():
    made = config(pool("app", [server()]), frontend("web", [missing("apx", expression="%[path]")]))
    assert "fall through" in hits(pool_undefined, made)[0].args["effect"]


def test_a_pool_that_nothing_names():
    app, old = pool("app", [server()]), pool("old", [server()])
    made = config(app, old, frontend("web", [to(app)]))
    assert [hit.pool for hit in hits(pool_unused, made)] == ["old"]


def test_a_listen_whose_requests_go_elsewhere():
    app, stats, old = pool("app", [server()]), pool("stats", []), pool("old", [server()])
    fronts = [frontend(one.name, [to(app)]) for one in (stats, old)]
    for front, one in zip(fronts, (stats, old), strict=True):
        front.span = one.span
    (hit,) = hits(pool_unused, config(app, stats, old, *fronts))
    assert (hit.pool, hit.fix) == ("old", None)


def test_what_may_be_used_is_not_unused():
    app, old = pool("app", [server()]), pool("old", [server()])
    made = config(app, old, frontend("web", [to(app), route(None, outcome="unknown")]))
    assert not hits(pool_unused, made)
    for used in (("", "old"), ("", "*")):
        made = config(app, old, frontend("web", [to(app)]))
        made.used.add(used)
        assert not hits(pool_unused, made)
    made = config(app, old, frontend("web", [to(app)]))
    made.open = "an include is missing"
    assert not hits(pool_unused, made)
    assert not hits(pool_unused, config(app, old))
    table = pool("rates", [], options={"stick-table": written("type ip")})
    assert not hits(pool_unused, config(app, table, frontend("web", [to(app)])))


def test_scopes_are_apart():
    app, tcp = pool("app", [server()], scope="http"), pool("app", [server()], scope="stream")
    made = config(app, tcp, frontend("web", [to(app), route(None, outcome="unknown")], scope="http"))
    assert [hit.span for hit in hits(pool_unused, made)] == [tcp.span]
