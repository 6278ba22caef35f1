from __future__ import annotations

import time

import pytest
from checks.build import config, frontend, hits, listener, route, when

from lbcheck.checks.routing import default_route_missing, route_duplicate_conflict, route_shadowed
from lbcheck.model import Condition, Route
from lbcheck.text import Source

PATH_API = when("path", "prefix", "/api")
PATH_V2 = when("path", "prefix", "/api/v2")
SHOP = when("host", "exact", "shop.example.com", ignore_case=True)
TLS = when("scheme", "exact", "https")
NOT_TLS = when("scheme", "exact", "https", negated=True)
LUCK = when("opaque", "exact", "rand(100) lt 10")
RATE = when("opaque", "exact", "sc_http_req_rate(0) gt 10")


def shadowed(*routes, **fields):
    found = hits(route_shadowed, config(frontend("web", routes, **fields)))
    return [(hit.route, hit.severity or "error") for hit in found]


def covered(first, second):
    """Does the first route leave nothing to the second?"""
    return shadowed(route("a", first), route("b", second)) == [("route to b", "error")]


@pytest.mark.parametrize(
    ("broad", "narrow"),
    [
        (PATH_API, PATH_V2),
        (PATH_API, when("path", "exact", "/api/v2/users")),
        (PATH_API, when("path", "path_prefix", "/api")),
        (PATH_API, when("path", "regex", r"^/api/v\d+/")),
        (when("path", "path_prefix", "/api"), when("path", "path_prefix", "/api/v2")),
        (when("path", "path_prefix", "/api"), when("path", "prefix", "/api/")),
        (when("path", "suffix", ".jpg"), when("path", "exact", "/a.jpg")),
        (when("path", "contains", "/api/"), when("path", "prefix", "/x/api/v2")),
        (when("path", "exact", "/a", "/b", "/c"), when("path", "exact", "/b")),
        (when("path", "prefix", "/API", ignore_case=True), when("path", "prefix", "/api/v2")),
        (SHOP, (SHOP, PATH_API)),
        (when("host", "suffix", ".example.com", ignore_case=True), SHOP),
        (when("header:x-canary", "exists"), when("header:x-canary", "exact", "1")),
        (when("path", "regex", r"\.(jpg|png)$"), when("path", "suffix", ".png")),
        (when("path", "regex", "^/api(/|$)"), when("path", "path_prefix", "/api/v2")),
        (when("opaque", "exact", "req.len gt 0"), (when("opaque", "exact", "req.len gt 0"), PATH_API)),
        ((NOT_TLS,), (NOT_TLS, PATH_API)),
    ],
)
def test_a_route_that_is_left_nothing(broad, narrow):
    assert covered(broad, narrow)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (PATH_V2, PATH_API),
        (when("path", "path_prefix", "/api"), PATH_API),  # /apis
        (when("path", "path_prefix", "/api/"), when("path", "path_prefix", "/api")),
        (when("path", "exact", "/api"), PATH_API),
        (PATH_API, when("path", "prefix", "/API", ignore_case=True)),
        (PATH_API, when("path", "regex", "^/api/v2|^/x")),
        (PATH_API, when("path", "regex", "/api/v2")),
        (when("path", "regex", "^/ap+"), when("path", "prefix", "/apq")),
        (when("path", "regex", r"^/api/\d+"), when("path", "prefix", "/api/v2")),
        (PATH_API, (when("host", "exact", "/api/v2"),)),
        ((SHOP, PATH_API), SHOP),
        ((TLS,), NOT_TLS),
        (PATH_API, when("path", "prefix", "/api", negated=True)),
        (LUCK, (LUCK, PATH_API)),
        (RATE, (RATE, PATH_API)),
        (when("path", "exact", "/a"), when("path", "exact", "/a", "/b")),
    ],
)  # fmt: skip
def test_a_route_that_something_may_be_left(first, second):
    assert shadowed(route("a", first), route("b", second)) == []


def test_the_same_pool_is_no_loss():
    assert shadowed(route("a", PATH_API), route("a", PATH_V2)) == []


def test_several_routes_cover_one_between_them():
    both = when("host", "exact", "a.example.com", "b.example.com")
    one, other = (when("host", "exact", f"{name}.example.com") for name in "ab")
    assert shadowed(route("x", one), route("y", other), route("z", both)) == [("route to z", "error")]
    assert shadowed(route("x", one), route("z", both)) == []


def test_a_listed_value_that_a_broader_one_takes_is_a_warning():
    assert shadowed(route("a", PATH_API), route("b", when("path", "prefix", "/api/v2", "/v2"))) == [
        ("route to b", "warning")
    ]


def test_an_alternative_that_is_taken_is_a_warning():
    assert shadowed(route("a", SHOP), route("b", (SHOP, PATH_API), TLS)) == [("route to b", "warning")]


def test_an_unconditional_route_is_one_finding():
    found = hits(route_shadowed, config(frontend("web", [route("a"), route("b", TLS), route("c", SHOP), route("d")])))
    assert [(hit.route, hit.args["route"]) for hit in found] == [("route to b", "route to b and 2 routes behind it")]


def test_a_pair_takes_everything_but_a_default_behind_it_is_caution():
    pair = [route("a", TLS), route("b", NOT_TLS)]
    assert shadowed(*pair, route("c")) == []
    assert shadowed(*pair, route("c", SHOP)) == [("route to c", "error")]


def test_what_may_fall_through_takes_nothing():
    dynamic = Route("dynamic", route("a").span, ((),), (), "unknown", expression="%[hdr(host)]")
    assert shadowed(dynamic, route("a", TLS), route("b")) == []


def test_answers():
    redirect = route(None, NOT_TLS, outcome="answer")
    assert shadowed(redirect, route("a", (NOT_TLS, PATH_API)), route("b")) == []
    deny = route(None, outcome="answer")
    assert shadowed(deny, route("b")) == []
    assert shadowed(deny, route("a", PATH_API), route("b")) == [("route to a", "warning")]


def test_the_fix_moves_the_broad_line_behind():
    source = Source("h.cfg", "  use_backend a if x\n  use_backend b if y\n  default_backend c\n")
    first, second = source.span(2, 20), source.span(23, 41)
    routes = [route("a", PATH_API, line=first), route("b", PATH_V2, line=second)]
    (hit,) = hits(route_shadowed, config(frontend("web", routes)))
    text = source.text
    for edit in sorted(hit.fix.edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == "  use_backend b if y\n  use_backend a if x\n  default_backend c\n"
    assert not hit.fix.safe


def duplicates(*routes):
    return [
        (hit.route, hit.severity or "error") for hit in hits(route_duplicate_conflict, config(frontend("web", routes)))
    ]


def test_the_same_match_twice():
    assert duplicates(route("a", (SHOP, TLS)), route("b", (TLS, SHOP))) == [("route to b", "error")]
    assert duplicates(route("a", SHOP, TLS), route("a", TLS, SHOP)) == [("route to a", "info")]
    assert duplicates(route("a", SHOP), route("b", TLS), route("c")) == []
    assert duplicates(route("a", LUCK), route("b", LUCK)) == []
    assert shadowed(route("a", SHOP), route("b", SHOP)) == []  # R02 says it


def missing(*routes, **fields):
    return hits(default_route_missing, config(frontend("web", routes, **fields)))


def test_a_missing_default():
    assert len(missing(route("a", SHOP), route("b", PATH_API))) == 1
    assert missing(route("a", SHOP), route("b")) == []
    assert missing(route("a", TLS), route("b", NOT_TLS)) == []
    assert missing(route("a", SHOP), route(None, outcome="answer")) == []
    assert missing(route("a", SHOP), protocol="tcp") == []
    assert missing() == []
    assert missing(route(None, PATH_API, outcome="answer")) == []


BLOG = when("host", "exact", "blog.example.com", ignore_case=True)
BOTH = when("host", "exact", "shop.example.com", "blog.example.com", ignore_case=True)


def negated(condition):
    return Condition(condition.field, condition.op, condition.values, negated=True, ignore_case=condition.ignore_case)


def refuse(*conditions):
    """`http-request deny unless CONDITION or CONDITION …`."""
    return route(None, tuple(map(negated, conditions)), outcome="answer")


def test_a_refusal_of_all_that_no_route_takes():
    routes = [route("a", SHOP), route("b", BLOG)]
    assert missing(refuse(SHOP, BLOG), *routes) == []
    assert missing(refuse(BOTH), *routes) == []
    assert missing(refuse(BOTH), route("a", SHOP), route("b", BOTH)) == []
    assert missing(refuse(when("path", "exists")), route("a", when("path", "exists"))) == []
    assert len(missing(refuse(BOTH), route("a", SHOP))) == 1
    assert len(missing(refuse(SHOP, PATH_API), *routes)) == 1
    assert len(missing(refuse(SHOP, BLOG), route("a", (SHOP, TLS)), route("b", BLOG))) == 1
    assert len(missing(refuse(LUCK, BLOG), route("a", LUCK), route("b", BLOG))) == 1
    assert len(missing(route(None, (negated(SHOP), negated(BLOG), TLS), outcome="answer"), *routes)) == 1


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (when("path", "prefix", "/"), 0),
        (when("path", "prefix", "/x", "/"), 0),
        (when("path", "regex", "^/.*"), 0),
        (when("path", "regex", ".*"), 0),
        (when("path", "prefix", "/", negated=True), 1),
        (when("path", "exact", "/"), 1),
        (when("path", "regex", "^/a"), 1),
        (when("host", "prefix", "/"), 1),
        ((when("path", "prefix", "/"), SHOP), 1),
    ],
)
def test_a_route_for_every_path_is_a_default(condition, expected):
    assert len(missing(route("a", SHOP), route("b", condition))) == expected


def test_a_missing_default_beside_rules_that_answer():
    (hit,) = missing(route(None, TLS, outcome="answer"), route("a", SHOP))
    assert hit.args["unanswered"] == "no rule answers and that "
    (hit,) = missing(route("a", SHOP))
    assert hit.args["unanswered"] == ""


def location(target, strength, path, outcome="pools"):
    op, fold = {"=": ("exact", False), "~": ("regex", False), "~*": ("regex", True)}.get(strength, ("prefix", False))
    made = route(target, when("path", op, path, ignore_case=fold, strength=strength), outcome=outcome)
    made.label = f"{strength}{path}"
    return made


def dead(*locations):
    made = frontend("web", [location(*words) for words in locations], order="nginx", scope="http")
    return {hit.route for hit in hits(route_shadowed, config(made, dialect="nginx"))}


@pytest.mark.parametrize(
    ("locations", "never"),
    [
        ([("a", "~", "^/api/"), ("b", "~", "^/api/v2/")], {"~^/api/v2/"}),
        ([("a", "~", r"\.php$"), ("b", "~", r"^/x\.php$")], {r"~^/x\.php$"}),
        ([("a", "~*", r"\.(jpg|png)$"), ("b", "~", r"\.png$")], {r"~\.png$"}),
        ([("a", "~", "^/x"), ("b", "~*", "^/x/y")], set()),
        ([("b", "~", "^/api/v2/"), ("a", "~", "^/api/")], set()),
        ([("b", "", "/p/"), ("a", "~", "^/p")], {"/p/"}),
        ([("b", "=", "/p/"), ("a", "~", "^/p")], set()),
        ([("b", "^~", "/p/"), ("a", "~", "^/p")], set()),
        ([("b", "", "/"), ("a", "~", "^/(.*)$")], {"/"}),
        ([("a", "^~", "/api/"), ("b", "~", r"^/api/v\d/")], {r"~^/api/v\d/"}),
        ([("a", "^~", "/api/"), ("b", "~", r"\.php$")], set()),
        ([("a", "^~", "/api/"), ("a", "", "/api/v2/"), ("b", "~", "^/api/v2/x")], set()),
        ([("a", "^~", "/api/"), ("a", "", "/api/v2/"), ("b", "~", "^/api/v")], {"/api/v2/"}),
        ([("a", "^~", "/api/"), ("a", "", "/web/"), ("b", "~", "^/api/v")], {"~^/api/v"}),
        ([("a", "^~", "/api/"), ("b", "~*", "^/api/v")], set()),
        ([("a", "~", "^/api/"), ("a", "~", "^/api/v2/")], set()),
        ([(None, "~", "^/api/", "answer"), (None, "~", "^/api/v2/", "answer")], set()),
        ([(None, "~", "^/api/", "answer"), ("a", "~", "^/api/v2/")], {"~^/api/v2/"}),
    ],
)
def test_nginx_locations(locations, never):
    assert dead(*locations) == never


def server_block(name, target, where="10.0.0.1:80", **fields):
    routes = [location(target, "", "/")] if target else [location(None, "", "/", "answer")]
    hosts = [name] if isinstance(name, str) else name
    return frontend("server", routes, [listener(where)], order="nginx", scope="http", hosts=hosts, **fields)


def contested(*blocks):
    return [hit.severity or "error" for hit in hits(route_duplicate_conflict, config(*blocks, dialect="nginx"))]


def test_nginx_server_names():
    assert contested(server_block("x", "a"), server_block("X", "b")) == ["error"]
    assert contested(server_block("x", "a"), server_block("x", "a")) == ["info"]
    assert contested(server_block("x", "a"), server_block("x", "b", "10.0.0.1:81")) == []
    assert contested(server_block("x", "a"), server_block("y", "b")) == []
    assert contested(server_block("x", "a", "*:80"), server_block("x", "b", "0.0.0.0:80")) == ["error"]
    assert contested(server_block("x", None), server_block("x", None)) == []
    assert contested(server_block([], "a"), server_block([], "b")) == ["error"]
    assert contested(server_block("$host", "a"), server_block("$host", "b")) == []


def test_ten_thousand_routes_are_no_trouble():
    hosts = [route(f"p{n}", (SHOP, when("path", "prefix", f"/{n}/"))) for n in range(10_000)]
    paths = [route(f"p{n}", (when("host", "exact", f"{n}.example.com"), PATH_API)) for n in range(10_000)]
    same = [route(f"p{n}", (SHOP, PATH_API, when("opaque", "exact", f"{n}"))) for n in range(10_000)]
    start = time.process_time()
    assert shadowed(*hosts) == shadowed(*paths) == shadowed(*same) == []
    assert dead(*((f"p{n}", "~", f"^/{n}/") for n in range(10_000))) == set()
    assert time.process_time() - start < 12
