"""Which config, pool and server of the new version is which of the old one."""

from __future__ import annotations

import pytest
from changes.read import addresses, app, changes, haproxy, named, nginx, pools, versions

from lbcheck.changes import pairing


def pairs(old, new, name="haproxy"):
    found = pairing.configs(versions(name, old), versions(name, new))
    return [(before and before.path, after and after.path) for before, after in found]


A = haproxy(*named(1, 2, 3))
B = haproxy(*named(11, 12, 13)).replace("app", "shop")


class TestConfigs:
    def test_by_path_whatever_is_in_them(self):
        assert pairs({"a.cfg": A, "b.cfg": B}, {"a.cfg": B, "b.cfg": A}) == [("a.cfg", "a.cfg"), ("b.cfg", "b.cfg")]

    def test_moved_files_by_what_is_in_them(self):
        new = {"lb/one.cfg": B, "lb/two.cfg": A.replace("30s", "31s")}
        assert pairs({"a.cfg": A, "b.cfg": B}, new) == [("b.cfg", "lb/one.cfg"), ("a.cfg", "lb/two.cfg")]

    def test_moved_and_edited(self):
        assert pairs({"a.cfg": A}, {"b.cfg": haproxy(*named(1, 2, 3, 4))}) == [("a.cfg", "b.cfg")]

    def test_nothing_in_common(self):
        assert pairs({"a.cfg": A}, {"b.cfg": B}) == [(None, "b.cfg"), ("a.cfg", None)]

    def test_configs_without_pools_by_their_lines(self):
        text = "global\n  maxconn 100\ndefaults\n  mode http\n"
        assert pairs({"a.cfg": text}, {"b.cfg": text + "  retries 3\n"}) == [("a.cfg", "b.cfg")]

    def test_copies_are_told_apart_by_their_paths(self):
        many = {f"env/{number}/haproxy.cfg": A for number in range(60)}
        moved = {f"environments/{number}/lb/haproxy.cfg": A for number in range(60)}
        assert pairs(many, moved) == list(zip(many, moved, strict=True))

    def test_no_versions(self):
        assert pairs({}, {"a.cfg": A}) == [(None, "a.cfg")]
        assert pairs({"a.cfg": A}, {}) == [("a.cfg", None)]


class TestPools:
    def test_renamed(self):
        new = haproxy(*named(1, 2, 3)).replace("app", "web_app")
        found = pools("haproxy", A, new)
        assert list(found) == ["web_app"]
        assert (found["web_app"].renamed_from, found["web_app"].status, found["web_app"].moved) == ("app", "changed", 0)

    def test_renamed_and_half_of_it_changed(self):
        found = pools("haproxy", A, haproxy(*named(1, 2, 4)).replace("app", "other"))
        assert (found["other"].renamed_from, found["other"].moved) == ("app", pytest.approx(1 / 3))

    def test_another_pool(self):
        found = pools("haproxy", A, haproxy(*named(1, 4, 5)).replace("app", "other"))
        assert [(pool.name, pool.status) for pool in found.values()] == [("other", "added"), ("app", "removed")]
        assert found["app"].moved is None
        assert found["app"].reason is None

    def test_moved_to_another_file(self):
        rest = "backend api\n    balance roundrobin\n    server a 10.0.1.1:80\n    server b 10.0.1.2:80\n"
        old = {"a.cfg": A + rest, "b.cfg": B}
        new = {"a.cfg": A, "b.cfg": B + rest.replace("10.0.1.1:80", "10.0.1.1:80 weight 2")}
        found = pools("haproxy", old, new)
        assert (found["api"].status, found["api"].config, found["api"].moved) == (
            "changed",
            "b.cfg",
            pytest.approx(1 / 6),
        )

    def test_scopes_are_name_spaces(self):
        stream = "stream {{\n    upstream app {{\n        server 10.0.9.1:80{};\n    }}\n}}\n"
        old, new = nginx(*addresses(1)) + stream.format(""), nginx(*addresses(1)) + stream.format(" weight=2")
        [change] = changes("nginx", old, new)
        assert [(pool.name, pool.protocol, pool.status) for pool in change.pools] == [
            ("app", "http", "unchanged"),
            ("app", change.pools[1].protocol, "changed"),
        ]

    def test_order_is_the_new_version_s(self):
        rest = "backend zeta\n    server a 10.0.1.1:80\nbackend alpha\n    server a 10.0.1.2:80\n"
        assert list(pools("haproxy", A + rest, haproxy(*named(1), rest=rest))) == ["app", "zeta", "alpha"]


def servers(old, new):
    return [(one.name, one.status, one.renamed_from, one.address_before) for one in app("haproxy", old, new).servers]


class TestServers:
    def test_by_address(self):
        assert servers(named(1, 2), ["server other 10.0.0.2:80", *named(3)]) == [
            ("other", "changed", "s2", None),
            ("s3", "added", None, None),
            ("s1", "removed", None, None),
        ]

    def test_by_name_where_the_address_is_new(self):
        assert servers(named(1, 2), ["server s1 10.0.9.1:80", *named(2)]) == [
            ("s1", "changed", None, "10.0.0.1:80"),
            ("s2", "unchanged", None, None),
        ]

    def test_swapped_names_follow_the_address(self):
        assert [row[0:3] for row in servers(named(1, 2), ["server s2 10.0.0.1:80", "server s1 10.0.0.2:80"])] == [
            ("s2", "changed", "s1"),
            ("s1", "changed", "s2"),
        ]

    def test_several_at_one_address(self):
        old = ["server a 10.0.0.1:80", "server b 10.0.0.1:80"]
        assert [row[0:3] for row in servers(old, old[::-1])] == [("b", "unchanged", None), ("a", "unchanged", None)]
        assert [row[0:2] for row in servers(old, old[:1])] == [("a", "changed"), ("b", "removed")]

    def test_an_address_that_is_written_otherwise(self):
        pool = app("nginx", ["server 10.0.0.1;", "server 10.0.0.2:80;"], addresses(1, 2))
        assert [(one.name, one.renamed_from, one.status) for one in pool.servers] == [
            ("10.0.0.1:80", "10.0.0.1", "changed"),
            ("10.0.0.2:80", None, "unchanged"),
        ]

    def test_variables_are_told_apart_by_their_text(self):
        old = ['server a "${ONE}:80"', 'server b "${TWO}:80"']
        rows = servers(old, ['server b "${TWO}:80"', 'server a "${ONE}:80"'])
        assert [(row[0], row[1]) for row in rows] == [("b", "unchanged"), ("a", "unchanged")]
