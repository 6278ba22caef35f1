from __future__ import annotations

import pytest
from checks.build import config, hits, pool, probe, server, written
from checks.read import DEFAULTS, backend, said

from lbcheck.checks.sinkholes import least_conn_sinkhole
from lbcheck.model import Algorithm

TWO = ("server a 10.0.0.1:80 check", "server b 10.0.0.2:80 check")


def haproxy(*lines, **more):
    return said("D19", "haproxy", backend("balance leastconn", *lines, **more))


def test_checks_that_only_connect_hear_no_answer():
    assert haproxy(*TWO) == [(7, "")]
    assert haproxy("option ssl-hello-chk", *TWO) == [(7, "")]
    assert haproxy(*(f"{line} observe layer4" for line in TWO)) == [(7, "")]
    assert haproxy("option httpchk", "server a 10.0.0.1:80", "server b 10.0.0.2:80") == [(7, "")]


@pytest.mark.parametrize(
    "lines",
    [
        ("option httpchk", *TWO),
        ("option httpchk", TWO[0], "server b 10.0.0.2:80"),
        ("option tcp-check", "tcp-check expect string 200", *TWO),
        ("option external-check", *TWO),
        ("default-server observe layer7", *TWO),
        ("default-server agent-check agent-port 1", *TWO),
        ("retry-on 500", "option redispatch", *TWO),
        (*TWO, "server c 10.0.0.3:80 track other/c"),
        (TWO[0],),
        (TWO[0], f"{TWO[1]} disabled"),
        (TWO[0], f"{TWO[1]} weight 0"),
        ("server a ${A}:80 check ${MORE}", *TWO),
        ("mode tcp", *TWO),
    ],
)
def test_somebody_listens_or_there_is_no_choice(lines):
    assert haproxy(*lines) == []


def test_other_algorithms():
    assert said("D19", "haproxy", backend("balance roundrobin", *TWO)) == []
    assert said("D19", "haproxy", backend(*TWO)) == []


def test_an_algorithm_that_nobody_chose():
    app = pool("app", [server("a", check=probe()), server("b", check=probe())])
    app.algorithm = Algorithm("least_request")
    assert hits(least_conn_sinkhole, config(app)) == []
    app.algorithm = Algorithm("least_request", written("x").span)
    assert len(hits(least_conn_sinkhole, config(app))) == 1


def test_defaults_of_many_pools_are_one_mistake():
    more = "backend other\n" + "".join(f"  {line}\n" for line in TWO)
    text = backend(*TWO, defaults=DEFAULTS + "  balance leastconn\n") + more
    assert said("D19", "haproxy", text) == [(6, "")]


def nginx(*places, method="least_conn", more="", servers=2, inside="http"):
    upstream = "".join(f" server 10.0.0.{number}:80;" for number in range(servers))
    locations = "".join(f"location /{number} {{ {place} }} " for number, place in enumerate(places))
    text = f"{inside} {{ upstream app {{ {method}; {more} {upstream} }} server {{ {locations} }} }} events {{}}"
    return len(said("D19", "nginx", text))


@pytest.mark.parametrize(
    "place",
    [
        "proxy_pass http://app;",
        "proxy_pass http://app; proxy_next_upstream error timeout;",
        "proxy_pass http://app; proxy_next_upstream error http_404;",
        "grpc_pass grpc://app; proxy_next_upstream error http_500;",
        "fastcgi_pass app;",
    ],
)
def test_nginx_takes_errors_for_answers(place):
    assert nginx(place) == 1


@pytest.mark.parametrize(
    "place",
    [
        "proxy_pass http://app; proxy_next_upstream error http_500;",
        "proxy_pass http://app; proxy_next_upstream error http_502 http_503;",
        "grpc_pass grpc://app; grpc_next_upstream error http_500;",
        "proxy_pass http://app; health_check;",
        "memcached_pass app;",
        "return 204;",
    ],
)
def test_nginx_has_errors_count(place):
    assert nginx(place) == 0


def test_one_use_that_has_errors_count_is_enough():
    assert nginx("proxy_pass http://app;", "proxy_pass http://app; proxy_next_upstream http_500;") == 0


def test_nginx_without_a_choice_or_with_checks_of_others():
    place = "proxy_pass http://app;"
    assert nginx(place, method="ip_hash") == 0
    assert nginx(place, servers=1) == 0
    assert nginx(place, more="check interval=3000 type=http;") == 0
