"""From one balancer to another: which config and pool is which, and what is the same in other words."""

from __future__ import annotations

import pytest
from changes.read import HAPROXY, addresses, haproxy, named, nginx, versions

from lbcheck.changes import overall, pairing
from lbcheck.changes.across import DRAWN, TWO_DRAWN, family
from lbcheck.changes.compare import compare
from lbcheck.changes.decisions import same_decisions
from lbcheck.traffic.outcome import Traffic

NATIVE = """\
lbcheck: v1
frontends:
  - {name: web, listen: [":8080"], default_pool: app}
pools:
  - name: app
    algorithm: ALGORITHM
    servers: ["10.0.0.1:80", "10.0.0.2:80"]
"""
SECOND = "    upstream api {\n        server 10.0.1.1:80;\n        server 10.0.1.2:80;\n    }\n"


def native(algorithm="round_robin"):
    return NATIVE.replace("ALGORITHM", algorithm)


def compared(old, new):
    """Return the one change between (dialect, text or path → text) and another, and how much of all traffic moves."""
    before, after = versions(*old), versions(*new)
    [change] = compare(before, after)
    sides = []
    for side in (before, after):
        sides.append(Traffic())
        for version in side:
            sides[-1].add(version.traffic)
    return change, overall.moved([change], *sides)


def pool(old, new):
    change, _ = compared(old, new)
    [found] = change.pools
    return found


class TestConfigs:
    def pairs(self, old, new):
        before = [version for name, texts in old for version in versions(name, texts)]
        after = [version for name, texts in new for version in versions(name, texts)]
        return [(one and one.path, other and other.path) for one, other in pairing.configs(before, after)]

    def test_the_only_ones_are_one(self):
        found = self.pairs([("nginx", nginx(*addresses(1)))], [("native", native())])
        assert found == [("nginx.conf", "lb.yaml")]

    def test_even_with_nothing_in_common(self):
        found = self.pairs([("nginx", nginx(*addresses(7)))], [("haproxy", haproxy(*named(1)))])
        assert found == [("nginx.conf", "haproxy.cfg")]

    def test_among_several_nobody_knows(self):
        found = self.pairs([("nginx", nginx(*addresses(1))), ("haproxy", haproxy(*named(1)))], [("native", native())])
        assert found == [(None, "lb.yaml"), ("nginx.conf", None), ("haproxy.cfg", None)]

    def test_one_dialect_is_paired_by_what_it_holds(self):
        old = haproxy(*named(1, 2, 3))
        found = self.pairs([("haproxy", {"a.cfg": old})], [("haproxy", {"b.cfg": old.replace("10.0.0", "10.9.9")})])
        assert found == [(None, "b.cfg"), ("a.cfg", None)]


class TestPools:
    def test_by_servers_whatever_their_names_are(self):
        found = pool(("nginx", nginx(*addresses(1, 2))), ("haproxy", haproxy(*named(1, 2)).replace("app", "shop")))
        assert (found.name, found.renamed_from, found.status, found.moved) == ("shop", "app", "unchanged", 0)

    def test_of_alike_ones_by_name(self):
        twice = nginx(*addresses(1, 2), rest=SECOND.replace("10.0.1.", "10.0.0."))
        servers = "    server a 10.0.0.1:80\n    server b 10.0.0.2:80\n"
        other = HAPROXY + f"backend api\n{servers}backend app\n{servers}"
        change, _ = compared(("nginx", twice), ("haproxy", other))
        assert [(one.name, one.renamed_from) for one in change.pools] == [("api", None), ("app", None)]

    def test_by_name_where_all_servers_are_new(self):
        found = pool(("nginx", nginx(*addresses(1, 2))), ("haproxy", haproxy(*named(3, 4))))
        assert (found.name, found.renamed_from, found.status, found.moved) == ("app", None, "changed", 1)

    def test_servers_are_known_by_their_addresses(self):
        found = pool(("nginx", nginx(*addresses(1, 2))), ("haproxy", haproxy(*named(2, 1))))
        assert [(one.name, one.renamed_from, one.status) for one in found.servers] == [
            ("s2", None, "unchanged"),
            ("s1", None, "unchanged"),
        ]

    def test_weights_count_by_their_ratio(self):
        lines = ["server 10.0.0.1:80 weight=3;", "server 10.0.0.2:80;"]
        new = haproxy("server a 10.0.0.1:80 weight 30", "server b 10.0.0.2:80 weight 10")
        assert pool(("nginx", nginx(*lines)), ("haproxy", new)).status == "unchanged"
        assert pool(("nginx", nginx(*lines)), ("haproxy", new.replace("30", "20"))).moved == pytest.approx(1 / 12)

    @pytest.mark.parametrize(
        ("line", "balance", "status"),
        [
            ("least_conn;", "balance leastconn", "unchanged"),
            ("", "balance static-rr", "unchanged"),
            ("random two;", "balance random", "changed"),  # HAProxy draws points of a ring, whose arcs are uneven
            ("least_conn;", "balance roundrobin", "changed"),
            ("", "balance first", "changed"),
        ],
    )
    def test_algorithms_by_what_they_do(self, line, balance, status):
        old, new = nginx(line, *addresses(1, 2)), haproxy(balance, *named(1, 2))
        assert pool(("nginx", old), ("haproxy", new)).status == status

    @pytest.mark.parametrize(("algorithm", "status"), [("random", "unchanged"), ("least_connections", "changed")])
    def test_native_algorithms(self, algorithm, status):
        assert pool(("nginx", nginx("random;", *addresses(1, 2))), ("native", native(algorithm))).status == status

    @pytest.mark.parametrize(
        ("argument", "word"), [("", TWO_DRAWN), ("(1)", DRAWN), ("(3)", "the least busy of 3 drawn")]
    )
    def test_the_draws_of_haproxy(self, argument, word):
        [version] = versions("haproxy", haproxy(f"balance random{argument}", *named(1, 2)))
        assert family(version.config.pools[0], "haproxy") == word

    def test_hashes_of_two_dialects_are_not_one(self):
        old, new = nginx("hash $uri;", *addresses(1, 2)), haproxy("balance uri", *named(1, 2))
        found = pool(("nginx", old), ("haproxy", new))
        assert (found.status, found.moved, found.keys_exact) == ("changed", 0, False)
        assert found.keys_moved == pytest.approx(0.5)

    def test_clients_that_stay_no_longer(self):
        cookie = "cookie SRV insert indirect nocache"
        old = haproxy(cookie, "server a 10.0.0.1:80 cookie a", "server b 10.0.0.2:80 cookie b")
        found = pool(("haproxy", old), ("nginx", nginx(*addresses(1, 2))))
        assert (found.status, found.moved) == ("changed", 0)

    def test_an_open_pool_is_not_the_same(self):
        new = haproxy("server-template s 2 app.internal:80")
        assert pool(("nginx", nginx(*addresses(1, 2))), ("haproxy", new)).status == "changed"


class TestRoutes:
    def same(self, locations, rules, more=""):
        old = nginx(*addresses(1, 2), rest=SECOND + more)
        old = old.replace("location / { proxy_pass http://app; }", locations)
        new = haproxy(*named(1, 2), rest="backend api\n    server a 10.0.1.1:80\n    server b 10.0.1.2:80\n")
        new = new.replace("    default_backend app\n", rules).replace("127.0.0.1:8080", ":8080")
        change, _ = compared(("nginx", old), ("haproxy", new))
        ids = {id(side.pool): one.name for one in change.pools for side in (one.before, one.after)}
        return same_decisions(change.before.config, change.after.config, ids)

    BOTH = "location /api { proxy_pass http://api; } location / { proxy_pass http://app; }"
    RULES = "    use_backend api if { path_beg /api }\n    default_backend app\n"

    def test_the_same_rules(self):
        assert self.same(self.BOTH, self.RULES) is True

    def test_order_does_not_matter_to_nginx(self):
        turned = "location / { proxy_pass http://app; } location /api { proxy_pass http://api; }"
        assert self.same(turned, self.RULES) is True
        assert self.same("location / { proxy_pass http://app; }", self.RULES) is False

    def test_order_matters_to_haproxy(self):
        rules = "    use_backend app if { path_beg / }\n    use_backend api if { path_beg /api }\n"
        assert self.same(self.BOTH, rules) is False
        assert self.same("location / { proxy_pass http://app; }", rules) is True

    def test_a_path_is_not_its_beginning(self):
        assert self.same(self.BOTH, self.RULES.replace("path_beg", "path")) is False
        assert self.same(self.BOTH, self.RULES.replace("/api", "/api/")) is False

    def test_nginx_redirects_to_a_location_with_a_slash(self):
        slash = self.BOTH.replace("/api {", "/api/ {")
        rules = self.RULES.replace("/api", "/api/")
        assert self.same(slash, rules) is False  # HAProxy sends /api itself to app
        assert self.same(slash + " location /api { proxy_pass http://app; }", rules) is True
        assert self.same(slash, "    http-request redirect location /api/ if { path /api }\n" + rules) is True

    def test_answers_come_before_routes_in_haproxy(self):
        rules = self.RULES + "    http-request deny if { path_beg /api }\n"
        denied = self.BOTH.replace("proxy_pass http://api;", "return 403;")
        assert self.same(denied, rules) is True
        assert self.same(self.BOTH, rules) is False

    @pytest.mark.parametrize(
        "locations", ["location ~ ^/api { proxy_pass http://api; }", "location / { proxy_pass http://$arg_pool; }"]
    )
    def test_what_is_not_known_is_not_the_same(self, locations):
        assert self.same(locations, self.RULES) is None

    def test_other_names_go_to_the_first_server_block_or_the_one_that_says_so(self):
        block = "    server {{\n listen 8080{}; server_name {};\n location / {{ proxy_pass http://api; }} }}\n"
        rules = "    use_backend {} if {{ hdr(host) -i {} }}\n    default_backend {}\n"
        one = "location / { proxy_pass http://app; }"
        more = block.format("", "a.example.com")  # stands before the other
        assert self.same(one, rules.format("app", "b.example.com", "api"), more) is False
        assert self.same(one, "    default_backend api\n", more) is True
        more = more.replace("8080;", "8080 default_server;")
        assert self.same(one, "    default_backend api\n", more) is True

    def test_patterns_of_hosts_are_not_known(self):
        more = "    server { listen 8080; server_name *.example.com; location / { proxy_pass http://api; } }\n"
        assert self.same(self.BOTH, self.RULES, more) is None

    def test_thousands_of_routes_are_given_up(self):
        many = "".join(f"location /{number}/ {{ proxy_pass http://api; }} " for number in range(600))
        rules = "".join(f"    use_backend api if {{ path_beg /{number}/ }}\n" for number in range(600))
        assert self.same(many + "location / { proxy_pass http://app; }", rules + "    default_backend app\n") is None


def test_all_that_moves():
    old, new = ("nginx", nginx(*addresses(1, 2))), ("native", native())
    assert compared(old, new)[1] == 0
    assert compared(old, ("native", native().replace("8080", "8081")))[1] is None
    assert compared(old, ("native", native().replace("10.0.0.2", "10.0.0.3")))[1] == pytest.approx(0.5)
