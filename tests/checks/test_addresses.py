from __future__ import annotations

import pytest
from checks.build import config, default, frontend, hits, pool, server, span, written
from checks.lines import Text

from lbcheck.checks.addresses import place, primary_and_backup, server_duplicate, server_port_outlier
from lbcheck.checks.agreement import conflicting_settings
from lbcheck.model import Address, Pool, Route, WeightedTarget


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Address("[::1]:80", "ipv6", "::1", 80), Address("[0:0::1]", "ipv6", "0:0::1", 80)),
        (Address("App:80", "name", "App", 80), Address("app.", "name", "app.", 80)),
        (Address("unix:/run/a", "unix", "/run/a", None), Address("unix@/run/a", "unix", "/run/a", 80)),
    ],
)
def test_spellings_of_one_place(one, other):
    assert place(one) == place(other)


def test_what_is_not_known_has_no_place():
    assert place(Address("$host:80", "opaque", None, 80)) is None
    assert place(Address("unix:/A", "unix", "/A", None)) != place(Address("unix:/a", "unix", "/a", None))


def nginx(*members, **fields):
    text = Text()
    return config(text.pool("app", *[make(text) for make in members], **fields), dialect="nginx")


def at(where, weight=None, **fields):
    return lambda text: text.server(where, weight, **fields)


def test_the_same_address_twice_is_told_with_its_share_and_joined():
    made = nginx(at("10.0.0.1:80"), at("10.0.0.2:80", 2), at("10.0.0.1:80"))
    (hit,) = hits(server_duplicate, made)
    assert (hit.server, hit.span.line, hit.args["first"]) == ("10.0.0.1:80", 3, 1)
    assert "50 %" in hit.args["effect"]
    assert [edit.text for edit in hit.fix.edits] == [" weight=2", ""]
    assert hit.fix.edits[1].span.text == "server 10.0.0.1:80\n"


def test_lines_that_differ_are_not_duplicates():
    assert not hits(server_duplicate, nginx(at("10.0.0.1:80"), at("10.0.0.1:81")))
    assert not hits(server_duplicate, nginx(at("10.0.0.1:80"), at("10.0.0.1:80", down=True)))
    assert not hits(server_duplicate, nginx(at("10.0.0.1:80"), at("10.0.0.1:80", options={"route": written("b")})))
    assert not hits(server_duplicate, nginx(at("10.0.0.1:80"), at("10.0.0.1:80", tls=default(True))))
    assert not hits(server_duplicate, nginx(at("app:80", resolve=written(True)), at("app:80", resolve=written(True))))
    assert not hits(server_duplicate, nginx(at("0.0.0.0:80"), at("0.0.0.0:80")))
    assert not hits(server_duplicate, nginx(at("10.0.0.1:80"), at("10.0.0.1:80", comment="# twice, for a retry")))


def test_cookies_and_ids_do_not_make_two_servers():
    made = [server("a", cookie=written("a"), options={"id": written("1")}), server("b", cookie=written("b"))]
    assert hits(server_duplicate, config(pool("app", made)))


def test_one_finding_for_many_lines_of_an_address():
    (hit,) = hits(server_duplicate, nginx(*[at("10.0.0.1:80")] * 5))
    assert (hit.args["lines"], len(hit.related)) == ("5 lines", 4)


def test_a_backup_that_is_its_primary():
    (hit,) = hits(primary_and_backup, nginx(at("10.0.0.1:80"), at("10.0.0.1:80", backup=True)))
    assert hit.span.line == 2
    assert not hits(primary_and_backup, nginx(at("10.0.0.1:80"), at("10.0.0.1:81", backup=True)))
    assert not hits(primary_and_backup, nginx(at("10.0.0.1:80", down=True), at("10.0.0.1:80", backup=True)))
    retry = at("10.0.0.1:80", backup=True, comment="# so that nginx will retry a lone server")
    assert not hits(primary_and_backup, nginx(at("10.0.0.1:80"), retry))


@pytest.mark.parametrize("port", [8008, 8081, 80, 443, 88, 9090])
def test_an_odd_port_is_a_slip(port):
    (hit,) = hits(server_port_outlier, nginx(at("a:8080"), at(f"b:{port}"), at("c:8080")))
    assert hit.fix.edits[0].text == "b:8080"


@pytest.mark.parametrize(
    "places",
    [
        ("a:8080", "b:8081"),
        ("a:8080", "b:8080", "c:8081", "d:8081"),
        ("a:8080", "a:8081", "a:8082"),
        ("a:8080", "a:8081", "b:8080"),
        ("a:8080", "b:8080", "c:31999"),
        ("a:8080", "b:8080", "canary:8081"),
    ],
)
def test_ports_that_differ_for_a_reason(places):
    assert not hits(server_port_outlier, nginx(*map(at, places)))


def together(*pools, **fields):
    """A config in which all pools are used."""
    routes = [Route("/", span(), ((),), [WeightedTarget(each.name, span(), each)]) for each in pools]
    return config(*pools, frontend("web", routes), **fields)


def down(name, where):
    return server(name, where, disabled=written(True))


def test_drained_here_and_used_there():
    api = pool("api", [down("a", "10.0.0.1:80"), server("b", "10.0.0.2:80")])
    web = pool("web", [server("a", "10.0.0.1:80"), server("b", "10.0.0.2:80")])
    (hit,) = hits(conflicting_settings, together(api, web))
    assert (hit.severity, hit.server, hit.pool) == ("error", "a", "api")


def test_pools_that_split_the_servers_or_are_off_agree():
    blue = pool("blue", [down("a", "10.0.0.1:80"), server("b", "10.0.0.2:80")])
    green = pool("green", [server("a", "10.0.0.1:80"), down("b", "10.0.0.2:80")])
    assert not hits(conflicting_settings, together(blue, green))
    off = pool("off", [down("a", "10.0.0.1:80")])
    web = pool("web", [server("a", "10.0.0.1:80"), server("b", "10.0.0.2:80")])
    assert not hits(conflicting_settings, together(off, web))
    api = pool("api", [down("a", "10.0.0.1:80"), server("b", "10.0.0.2:80")])
    assert not hits(conflicting_settings, together(api, pool("only-a", [server("a", "10.0.0.1:80")])))
    made = together(web)
    made.pools.append(api)
    assert not hits(conflicting_settings, made)


def test_tls_to_one_port_or_not():
    api = pool("api", [server("a", tls=written(True))])
    web = pool("web", [server("a", tls=default(False))])
    (hit,) = hits(conflicting_settings, together(api, web))
    assert (hit.severity, hit.pool) == (None, "web")
    passing = pool("passing", [server("a", tls=default(False))], protocol="tcp")
    assert not hits(conflicting_settings, together(api, passing))
    assert hits(conflicting_settings, together(api, pool("web", [server("a")])))


def test_nginx_says_tls_at_the_route():
    api, web = pool("api", [server("a")]), pool("web", [server("a")])
    made = together(api, web, dialect="nginx")
    assert not hits(conflicting_settings, made)
    made.frontends[0].routes[0].options = {"tls": written(True)}
    (hit,) = hits(conflicting_settings, made)
    assert hit.pool == "web"


def weighted(name, *weights) -> Pool:
    return pool(name, [server(f"s{n}", f"10.0.0.{n}:80", weight=weight) for n, weight in enumerate(weights)])


def test_opposite_ranks():
    (hit,) = hits(conflicting_settings, together(weighted("api", 30, 10), weighted("web", 2, 5)))
    assert (hit.severity, hit.pool) == ("info", "web")
    assert "30 to 10" in hit.args["difference"]
    assert "2 to 5" in hit.args["difference"]


@pytest.mark.parametrize(
    ("api", "web"), [((3, 1), (1, 3)), ((3, 1), (1, 1)), ((30, 10), (5, 2)), ((1, 2, 3), (1, 5, 9)), ((1, 1), (2, 5))]
)
def test_other_weights_agree(api, web):
    assert not hits(conflicting_settings, together(weighted("api", *api), weighted("web", *web)))
