"""How much moves: of one pool, and of all traffic, and what is not known."""

from __future__ import annotations

import pytest
from changes.read import addresses, app, changes, haproxy, named, nginx, pools, versions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbcheck.changes import overall
from lbcheck.changes.compare import compare
from lbcheck.traffic.outcome import Traffic


class TestPool:
    def test_moved_is_half_the_differences(self):
        pool = app("nginx", addresses(1, 2, 3), [*addresses(1, more=" weight=10"), *addresses(2, 3)])
        assert pool.moved == pytest.approx(10 / 12 - 1 / 3)
        assert [(one.before, one.after) for one in pool.servers] == [
            (pytest.approx(1 / 3), pytest.approx(share / 12)) for share in (10, 1, 1)
        ]

    def test_unserved_counts(self):
        pool = app("haproxy", named(1, 2), named(1, 2, more=" disabled"))
        assert (pool.moved, pool.after.unserved) == (1.0, 1.0)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (named(1, 2), named(2, 1)),
            ([*named(1, 2), "timeout server 5s"], named(1, 2)),
            ([f"{line} maxconn 100" for line in named(1, 2)], named(1, 2)),
        ],
    )
    def test_unchanged_is_what_requests_do_not_notice(self, old, new):
        pool = app("haproxy", old, new)
        assert (pool.status, pool.moved, pool.keys_moved) == ("unchanged", 0.0, None)

    @pytest.mark.parametrize(
        "new",
        [
            named(1, 2, more=" weight 2"),
            ["balance leastconn", *named(1, 2)],
            [*named(1, 2), "server s3 10.0.0.3:80 backup"],
        ],
    )
    def test_changed_though_nothing_moves(self, new):
        pool = app("haproxy", named(1, 2), new)
        assert (pool.status, pool.moved) == ("changed", 0.0)

    def test_the_address_is_the_machine(self):
        """Names that keep their shares at other addresses send them to other machines; another spelling is no move."""
        pool = app("haproxy", named(1, 2), [line.replace("10.0.0", "10.0.9") for line in named(1, 2)])
        assert (pool.status, pool.moved, pool.elsewhere) == ("changed", 1.0, 2)
        pool = app("haproxy", named(1, 2, 3, 4), [*named(1, 2, 3), "server s4 10.0.9.4:80 check"])
        assert (pool.moved, pool.elsewhere) == (0.25, 1)
        pool = app("haproxy", named(1, 2), ["server s1 10.0.0.2:80", "server s2 10.0.0.1:80"])
        assert (pool.moved, pool.elsewhere) == (0.0, 0)  # two names have changed places
        pool = app("haproxy", ["server a Web.test:80"], ["server a web.test:80"])
        assert (pool.moved, pool.elsewhere) == (0.0, 0)

    def test_all_traffic_moves_where_every_address_is_new(self):
        old = haproxy(*named(1, 2))
        found = [versions("haproxy", text) for text in (old, old.replace("10.0.0", "10.0.9"))]
        whole = [Traffic(), Traffic()]
        for side, one in zip(whole, found, strict=True):
            side.add(one[0].traffic)
        assert overall.moved(compare(*found), *whole) == 1.0

    def test_not_known_is_never_unchanged(self):
        old = haproxy('server a "${A}:80" weight "${W}"', "server b 10.0.0.2:80")
        new = old.replace("10.0.0.2", "10.0.0.3")
        pool = pools("haproxy", old, new)["app"]
        assert (pool.status, pool.moved) == ("changed", None)
        assert pool.reason
        same = pools("haproxy", old, old)["app"]
        assert (same.status, same.moved) == ("unchanged", None)
        assert same.reason == pool.reason

    def test_a_template_may_change_a_pool_without_its_lines(self):
        old = haproxy("{% for host in web %}", "server {{ host }} {{ host }}:80", "{% endfor %}")
        pool = pools("haproxy", old, old.replace("in web", "in db"))["app"]
        assert (pool.status, pool.moved) == ("changed", None)

    @pytest.mark.parametrize("broken", ["before", "after"])
    def test_a_config_with_errors_hides_its_pools(self, broken):
        good, bad = nginx(*addresses(1, 2)), nginx(*addresses(1, 2)).replace("listen 8080;", "listen 8080; }")
        other = bad.replace("upstream app", "upstream other")
        found = pools("nginx", *((other, good) if broken == "before" else (good, other)))
        assert {(pool.status, pool.moved) for pool in found.values()} == {("changed", None)}
        assert all("has errors" in pool.reason for pool in found.values())

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def test_moved_is_a_distance(self, data):
        """The total variation is between 0 and 1, the same both ways, and never longer by a detour."""
        numbers = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9)), min_size=1, max_size=5)
        texts = [
            haproxy(
                *(f"server s{at} 10.0.0.{at}:80 weight {weight}" for at, weight in dict(data.draw(numbers)).items())
            )
            for _ in range(3)
        ]
        one, two, three = (pools("haproxy", texts[a], texts[b])["app"].moved for a, b in ((0, 1), (1, 2), (0, 2)))
        assert pools("haproxy", texts[1], texts[0])["app"].moved == pytest.approx(one, abs=1e-12)
        assert 0 <= three <= min(1, one + two + 1e-9)


def whole(name, old, new, toml=""):
    before, after = versions(name, old, toml), versions(name, new, toml)
    sides = (Traffic(), Traffic())
    for side, found in zip(sides, (before, after), strict=True):
        for version in found:
            side.add(version.traffic)
    return overall.moved(compare(before, after), *sides)


SPLIT = """http {{
    split_clients $remote_addr $pool {{
        {first}% one;
        * two;
    }}
    upstream one {{ server 10.0.0.1:80 weight={weight}; server 10.0.0.2:80; }}
    upstream two {{ server 10.0.1.1:80; server 10.0.1.2:80; }}
    server {{
        listen 8080;
        location / {{ proxy_pass http://$pool; }}
    }}
}}
"""
TWO = """    upstream other {{ server 10.0.1.1:80 weight={}; server 10.0.1.2:80; }}
    server {{
        listen 8081;
        server_name other.test;
        location / {{ proxy_pass http://other; }}
    }}
"""


class TestAllTraffic:
    def test_one_pool(self):
        old, new = nginx(*addresses(1, 2)), nginx(*addresses(1))
        assert whole("nginx", old, new) == 0.5

    def test_one_frontend_whose_routes_say_it(self):
        old, new = SPLIT.format(first=20, weight=1), SPLIT.format(first=20, weight=3)
        assert whole("nginx", old, new) == pytest.approx(0.2 * 0.25)
        assert whole("nginx", old, SPLIT.format(first=30, weight=1)) == pytest.approx(0.1), "routes move requests too"

    def test_two_frontends_need_a_demand(self):
        old, new = (nginx(*addresses(1, 2), rest=TWO.format(weight)) for weight in (1, 3))
        assert whole("nginx", old, new) is None
        demand = '[[demand]]\nfrontend = "other.test"\npeak = {}\n[[demand]]\nfrontend = "*"\npeak = {}\n'
        assert whole("nginx", old, new, demand.format(30, 10)) == pytest.approx(0.75 * 0.25)

    def test_nothing_moves_whoever_gets_what(self):
        old = nginx(*addresses(1, 2), rest=TWO.format(1))
        assert whole("nginx", old, old) == 0.0
        assert whole("nginx", old, old.replace("other.test", "else.test")) is None, "who knows what arrives there now"

    def test_an_unknown_pool_that_is_the_same_moves_nothing(self):
        odd = haproxy('server a "${A}:80" weight "${W}"', "server b 10.0.0.2:80")
        assert whole("haproxy", odd, odd) == 0.0
        assert whole("haproxy", odd, odd.replace("0.2:80", "0.3:80")) is None

    def test_a_pool_that_nobody_reaches(self):
        spare = "backend spare\n    server a 10.0.5.1:80\n"
        assert whole("haproxy", haproxy(*named(1, 2)), haproxy(*named(1, 2), rest=spare)) == 0.0

    def test_a_config_with_errors_moves_nothing_if_it_is_the_same(self):
        bad = nginx(*addresses(1, 2)) + "}\n"
        assert whole("nginx", bad, bad) == 0.0
        assert whole("nginx", bad, bad.replace("0.1:80", "0.3:80")) is None
        assert whole("nginx", bad, bad[:-2]) is None

    def test_nothing_at_all(self):
        assert whole("nginx", {}, {}) is None
        assert changes("nginx", {}, {}) == []
