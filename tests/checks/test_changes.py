"""Where the checks of a change speak, and where they keep quiet."""

from __future__ import annotations

import pytest
from changes.read import addresses, changes, haproxy, named, nginx

from lbcheck.checks.changes import CHANGE_CHECKS
from lbcheck.context import Context


def hits(code, name, old, new, toml="", **context):
    make = {"nginx": nginx, "haproxy": haproxy}[name]
    texts = [text if isinstance(text, str) else make(*text) for text in (old, new)]
    found = changes(name, *texts, toml)
    return [hit for change in found for hit in CHANGE_CHECKS[code](change, Context(**context))]


def speaks(*args, **kwargs):
    return [(hit.pool, hit.severity) for hit in hits(*args, **kwargs)]


def both(code, old, new):
    """Return whether the check speaks, of servers with these numbers, in nginx and in HAProxy alike."""
    found = {
        bool(speaks(code, "nginx", addresses(*old), addresses(*new))),
        bool(speaks(code, "haproxy", named(*old), named(*new))),
    }
    assert len(found) == 1
    return found.pop()


class TestLostServers:
    @pytest.mark.parametrize(
        ("old", "new", "lost"),
        [
            ((1, 2, 3), (1,), True),
            ((1, 2, 3, 4, 5), (1, 2), True),
            ((1, 2, 3, 4), (1, 2), False),
            ((1, 2), (1,), False),
            ((1, 2, 3), (4,), True),
            ((1, 2, 3), (4, 5, 6), False),
            ((1,), (1, 2), False),
        ],
    )
    def test_more_than_half(self, old, new, lost):
        assert both("V01", old, new) is lost

    @pytest.mark.parametrize("how", [" down", " backup"])
    def test_out_of_rotation_is_lost(self, how):
        new = [*addresses(1), *addresses(2, 3, more=how)]
        assert speaks("V01", "nginx", addresses(1, 2, 3), new) == [("app", None)]

    def test_weight_zero_is_lost(self):
        assert speaks("V01", "haproxy", named(1, 2, 3), [*named(1), *named(2, 3, more=" weight 0")])

    def test_drained_for_maintenance_is_not(self):
        quiet = [*named(1), *(f"{line} # maintenance" for line in named(2, 3, more=" disabled"))]
        assert not speaks("V01", "haproxy", named(1, 2, 3), quiet)

    def test_a_trial(self):
        old = haproxy(*named(1, 2, 3)).replace("app", "app_canary")
        assert not speaks("V01", "haproxy", old, haproxy(*named(1)).replace("app", "app_canary"))

    def test_split_in_two(self):
        old = haproxy(*named(1, 2, 3, 4, 5, 6))
        rest = "backend api\n" + "".join(f"    {line}\n" for line in named(3, 4, 5, 6))
        assert not speaks("V01", "haproxy", old, haproxy(*named(1, 2), rest=rest))
        already = haproxy(*named(1, 2, 3, 4, 5, 6), rest=rest)
        assert speaks("V01", "haproxy", already, haproxy(*named(1, 2), rest=rest)), "they have served there before"

    def test_a_name_may_be_many_machines(self):
        assert not speaks("V01", "haproxy", named(1, 2, 3), ["server all app.test:80 check"])
        assert not speaks("V01", "nginx", addresses(1, 2, 3), ["server app.test:80;"])
        old = ["server app.test:80;", *addresses(1, 2, 3)]
        assert speaks("V01", "nginx", old, old[:1]), "the name was there before"

    def test_capacities_decide(self):
        small, large = addresses(1, 2, 3, 4), addresses(11)
        toml = '[[capacity]]\nmatch = "10.0.0.11*"\nlimit = {}\n[[capacity]]\nmatch = "*"\nlimit = 100\n'
        assert not speaks("V01", "nginx", small, large, toml.format(400))
        assert speaks("V01", "nginx", small, large, toml.format(150))

    def test_a_pool_that_nobody_reaches(self):
        spare = "backend spare\n" + "".join(f"    {line}\n" for line in named(11, 12, 13))
        old = haproxy(*named(1), rest=spare)
        assert not speaks("V01", "haproxy", old, old.replace("    server s13 10.0.0.13:80 check\n", "").replace(
            "    server s12 10.0.0.12:80 check\n", ""))  # fmt: skip

    def test_a_removed_or_renamed_pool(self):
        old = haproxy(*named(1, 2, 3))
        assert not speaks("V01", "haproxy", old, haproxy(*named(4)).replace("app", "other"))
        renamed = haproxy(*named(1, 2, 3)).replace("app", "other")
        assert not speaks("V01", "haproxy", old, renamed)

    def test_templates(self):
        old = haproxy(*named(1, 2, 3))
        new = haproxy("{% for h in hosts %}", "server {{ h }} {{ h }}:80", "{% endfor %}", *named(1))
        assert not speaks("V01", "haproxy", old, new)


class TestBecameEmpty:
    def test_in_every_way(self):
        for new in ([], named(1, 2, more=" disabled"), named(1, 2, more=" weight 0")):
            assert speaks("V02", "haproxy", named(1, 2), new) == [("app", "error")]
        assert speaks("V02", "nginx", addresses(1, 2), addresses(1, 2, more=" down")) == [("app", "error")]

    def test_backups_serve(self):
        assert not speaks("V02", "haproxy", named(1, 2), named(1, 2, more=" backup"))

    def test_was_empty_before(self):
        assert not speaks("V02", "haproxy", named(1, 2, more=" disabled"), [])

    def test_answered_without_a_server(self):
        assert not speaks("V02", "haproxy", named(1, 2), ["http-request return status 503"])

    def test_routes_that_nobody_knows(self):
        old = haproxy(*named(1, 2)).replace("default_backend app", "use_backend %[req.hdr(host)]")
        new = old.replace("check", "check disabled")
        assert speaks("V02", "haproxy", old, new) == [("app", "warning")]

    def test_no_route(self):
        old = haproxy(*named(1, 2), rest="backend other\n    server a 10.0.9.1:80\n")
        new = old.replace("default_backend app", "default_backend other").replace("check", "check disabled")
        assert not speaks("V02", "haproxy", old, new)


RING, TABLE = "hash $uri consistent;", "hash $uri;"


class TestKeysMove:
    @pytest.mark.parametrize(("count", "more"), [(1, 1), (2, 1), (3, 1), (9, 1)])
    def test_a_server_more_on_a_ring_is_no_matter(self, count, more):
        old, new = range(1, count + 1), range(1, count + more + 1)
        assert not speaks("V03", "nginx", [RING, *addresses(*old)], [RING, *addresses(*new)])
        lines = ["balance uri", "hash-type consistent"]
        assert not speaks("V03", "haproxy", [*lines, *named(*old)], [*lines, *named(*new)])
        if count > 1:
            assert not speaks("V03", "haproxy", [*lines, *named(*new)], [*lines, *named(*old)])

    @pytest.mark.parametrize("count", [2, 3, 9])
    def test_a_server_more_in_a_table_is(self, count):
        old, new = range(1, count + 1), range(1, count + 2)
        assert speaks("V03", "nginx", [TABLE, *addresses(*old)], [TABLE, *addresses(*new)]) == [("app", None)]
        assert speaks("V03", "haproxy", ["balance uri", *named(*old)], ["balance uri", *named(*new)]) == [("app", None)]

    def test_down_keeps_the_others_keys(self):
        new = [TABLE, *addresses(1, 2), *addresses(3, more=" down")]
        assert not speaks("V03", "nginx", [TABLE, *addresses(1, 2, 3)], new)

    def test_replaced_servers_are_only_told(self):
        [hit] = hits("V03", "nginx", [RING, *addresses(1, 2, 3)], [RING, *addresses(4, 5, 6)])
        assert (hit.severity, hit.args["reason"]) == ("info", "their servers are gone")

    @pytest.mark.parametrize("ring", [[], ["hash-type consistent"]])
    def test_names_at_other_addresses_are_replaced_servers(self, ring):
        lines = ["balance uri", *ring]
        new = [line.replace("10.0.0", "10.0.9") for line in named(1, 2, 3)]
        [hit] = hits("V03", "haproxy", [*lines, *named(1, 2, 3)], [*lines, *new])
        assert (hit.severity, hit.args["moved"], hit.args["reason"]) == ("info", "100 %", "their servers are gone")
        assert not speaks("V03", "haproxy", [*lines, *named(1, 2, 3)], [*lines, *named(1, 2), new[2]])

    def test_the_first_of_a_ring_of_haproxy(self):
        """Without ids all the others move up by one place: 99 % of the keys for a tenth of the servers."""
        lines = ["balance uri", "hash-type consistent"]
        [hit] = hits("V03", "haproxy", [*lines, *named(*range(1, 11))], [*lines, *named(*range(2, 11))])
        assert hit.severity is None
        assert "places on the ring" in hit.args["reason"]
        with_ids = [f"{line} id {number}" for number, line in enumerate(named(*range(1, 11)), 1)]
        assert not speaks("V03", "haproxy", [*lines, *with_ids], [*lines, *with_ids[1:]])

    @pytest.mark.parametrize(
        ("old", "new"), [(TABLE, RING), (RING, "hash $host consistent;"), ("ip_hash;", "hash $remote_addr;")]
    )
    def test_another_hash(self, old, new):
        [hit] = hits("V03", "nginx", [old, *addresses(1, 2, 3)], [new, *addresses(1, 2, 3)])
        assert hit.args["reason"] == "the two versions hash differently"

    def test_no_hash_before(self):
        assert not speaks("V03", "nginx", addresses(1, 2, 3), [TABLE, *addresses(1, 2, 3)])

    def test_the_threshold(self):
        old, new = [RING, *addresses(1, 2, 3)], [RING, *addresses(1, 2)]
        assert not speaks("V03", "nginx", old, new)
        assert speaks("V03", "nginx", old, new, options={"V03": {"max_moved": 0.1}}) == [("app", "info")]

    def test_servers_that_come_are_to_have_keys(self):
        assert not speaks("V03", "nginx", [RING, *addresses(1)], [RING, *addresses(*range(1, 10))])

    def test_most_servers_lost_says_it(self):
        assert not speaks("V03", "nginx", [TABLE, *addresses(1, 2, 3)], [TABLE, *addresses(1)])


def weighted(*weights):
    return [f"server 10.0.0.{at}:80 weight={weight};" for at, weight in enumerate(weights, 1)]


class TestShareGrew:
    def test_more_than_three_times_and_more_than_its_due(self):
        [hit] = hits("V04", "nginx", weighted(10, 40), weighted(40, 10))
        assert (hit.server, hit.args["ratio"], hit.span.text) == ("10.0.0.1:80", "4", "weight=40")
        assert "10.0.0.2:80 gets 60 %" in hit.related[0].message

    def test_one_finding_for_the_one_that_grew_most(self):
        found = hits("V04", "nginx", weighted(1, 2, 20, 20, 20, 20), weighted(20, 20, 1, 1, 1, 1))
        assert [(hit.server, hit.args["ratio"]) for hit in found] == [("10.0.0.1:80", "37.7")]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ((10, 40), (30, 30)),  # ends at a fair share
            ((10, 40), (24, 26)),
            ((10, 20), (20, 10)),  # twice
            ((0, 40), (40, 1)),  # had nothing
        ],
    )
    def test_quiet(self, old, new):
        sides = [
            [f"server s{at} 10.0.0.{at}:80 weight {weight}" for at, weight in enumerate(weights, 1)]
            for weights in (old, new)
        ]
        assert not speaks("V04", "haproxy", *sides)

    def test_a_trial(self):
        assert not speaks("V04", "nginx", weighted(10, 40), ["# canary", *weighted(40, 10)])

    def test_a_capacity_that_fits(self):
        toml = '[[capacity]]\nmatch = "*"\nlimit = 100\n[[demand]]\nfrontend = "*"\npeak = {}\n'
        assert not speaks("V04", "nginx", weighted(10, 40), weighted(40, 10), toml.format(100))
        assert speaks("V04", "nginx", weighted(10, 40), weighted(40, 10), toml.format(1000))

    def test_in_proportion_to_capacity(self):
        toml = '[[capacity]]\nmatch = "10.0.0.1:80"\nlimit = 400\n[[capacity]]\nmatch = "*"\nlimit = 100\n'
        assert not speaks("V04", "nginx", weighted(10, 40), weighted(40, 10), toml)

    def test_another_algorithm(self):
        lines = named(*range(1, 9), more=" maxconn 100")
        assert [hit.server for hit in hits("V04", "haproxy", lines, ["balance first", *lines])] == ["s1"]

    def test_the_threshold(self):
        assert not speaks("V04", "nginx", weighted(10, 40), weighted(40, 10), options={"V04": {"max_growth": 5}})
