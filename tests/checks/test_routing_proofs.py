"""What is called shadowed is: every short path is sent through random routes, the way the proxies choose."""

from __future__ import annotations

import re
from itertools import product

from checks.build import config, frontend, hits, route, when
from hypothesis import given, settings
from hypothesis import strategies as st

from lbcheck.checks.routing import route_shadowed

PATHS = ["/" + "".join(rest) for length in range(5) for rest in product("/abA", repeat=length)]
REQUESTS = [(host, path) for host in ("x", "y") for path in PATHS]
VALUES = ["/", "/a", "/a/", "/ab", "/a/b", "a", "b", "/b", "/A"]
PATTERNS = [
    "^/a", "^/a$", "^/a/", "b$", "a", "^/a(/|$)", "/(a|b)$", "^/ab*", "^/ab+", "^/a.*", "^/(.*)$", "^/a|^/b", "^/[ab]",
    "^/a(?:/.*)?$", "^/a\\/b", ".*b$", "^/a?b", "(/a|/b)$", "^/a{2}", "^(/a)",
]  # fmt: skip
MEANINGS = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
    "contains": str.__contains__,
    "path_prefix": lambda text, value: text.startswith(value if value.endswith("/") else value + "/") or text == value,
    "regex": lambda text, value: re.search(value, text) is not None,
}


def holds(condition, request):
    text = request[condition.field == "path"]
    if condition.ignore_case:
        found = any(MEANINGS[condition.op](text.lower(), value.lower()) for value in condition.values)
    else:
        found = any(MEANINGS[condition.op](text, value) for value in condition.values)
    return found != condition.negated


def matches(made, request):
    return any(all(holds(condition, request) for condition in alternative) for alternative in made.match)


HOSTS = st.builds(
    lambda values, negated: when("host", "exact", *values, negated=negated),
    st.lists(st.sampled_from("xy"), min_size=1, max_size=2),
    st.booleans(),
)
PLAIN = st.builds(
    lambda op, values, fold, negated: when("path", op, *values, ignore_case=fold, negated=negated),
    st.sampled_from([op for op in MEANINGS if op != "regex"]),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
)
REGEX = st.builds(
    lambda pattern, fold: when("path", "regex", pattern, ignore_case=fold), st.sampled_from(PATTERNS), st.booleans()
)
ALTERNATIVES = st.lists(st.one_of(HOSTS, PLAIN, PLAIN, REGEX), max_size=2).map(tuple)
ROUTES = st.lists(st.lists(ALTERNATIVES, min_size=1, max_size=2), min_size=2, max_size=5)


@settings(max_examples=400, deadline=None)
@given(ROUTES)
def test_first_match(matching):
    routes = [route(f"p{number}", *alternatives) for number, alternatives in enumerate(matching)]
    for one, alternatives in zip(routes, matching, strict=True):
        one.match = tuple(alternatives)
    found = hits(route_shadowed, config(frontend("web", routes)))
    dead = {hit.route for hit in found if hit.severity != "warning"}
    for request in REQUESTS:
        first = next((one for one in routes if matches(one, request)), None)
        assert first is None or first.label not in dead


LOCATIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["", "^~", "="]), st.sampled_from([value for value in VALUES if value[0] == "/"])),
        st.tuples(st.sampled_from(["~", "~*"]), st.sampled_from(PATTERNS)),
    ),
    min_size=2,
    max_size=6,
    unique=True,
)
OPS = {"=": "exact", "~": "regex", "~*": "regex"}


def chosen(locations, path):
    """Choose as ngx_http_core_find_location does."""
    if ("=", path) in locations:
        return ("=", path)
    prefixes = [one for one in locations if one[0] in ("", "^~") and path.startswith(one[1])]
    longest = max(prefixes, key=lambda one: len(one[1]), default=None)
    if longest is not None and longest[0] == "^~":
        return longest
    for strength, pattern in locations:
        if OPS.get(strength) == "regex" and re.search(pattern, path, re.IGNORECASE if strength == "~*" else 0):
            return (strength, pattern)
    return longest


@settings(max_examples=400, deadline=None)
@given(LOCATIONS)
def test_nginx(locations):
    # nginx refuses one prefix both with and without ^~
    locations = list({(one[0] if one[0] in OPS else "", one[1]): one for one in locations}.values())
    routes = []
    for number, (strength, path) in enumerate(locations):
        fold = strength == "~*"
        condition = when("path", OPS.get(strength, "prefix"), path, ignore_case=fold, strength=strength)
        routes.append(route(f"p{number}", condition))
    made = frontend("web", routes, order="nginx", scope="http")
    dead = {hit.route for hit in hits(route_shadowed, config(made, dialect="nginx"))}
    reached = {chosen(locations, path) for path in PATHS}
    for one, location in zip(routes, locations, strict=True):
        assert one.label not in dead or location not in reached
