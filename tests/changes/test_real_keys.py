"""Keys that move, counted: both versions run in the real proxies, and each key is asked for in both."""

from __future__ import annotations

import hashlib
import ipaddress
import random

import proxies
import pytest
from changes.read import app

from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p

KEYS = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(1500)]
ADDRESSES = [str(ipaddress.ip_address(random.Random(at).randrange(1 << 24, 224 << 24))) for at in range(1500)]

KEY, RING = "hash $http_x_key;", "hash $http_x_key consistent;"
#: What both versions begin with (or one each), then each version's servers: number, and what else the line says.
NGINX = {
    "one_more": (KEY, "0 1 2", "0 1 2 3"),
    "one_less": (KEY, "0 1 2 3", "0 2 3"),
    "weights": (KEY, "0 1:weight=2 2", "0:weight=3 1 2"),
    "down": (KEY, "0 1 2 3", "0 1:down 2 3"),
    "ring_one_more": (RING, "0 1 2", "0 1 2 3"),
    "ring_weights": (RING, "0 1 2", "0:weight=3 1 2"),
    "ring_down": (RING, "0 1 2 3", "0 1:down 2 3"),
    "to_a_ring": ((KEY, RING), "0 1 2 3", "0 1 2 3"),
    "addresses_one_less": ("ip_hash;", "0 1 2 3", "0 1 3"),
    "addresses_down": ("ip_hash;", "0 1 2 3", "0 1 2:down 3"),
}
HDR = "balance hdr(x-key)"
HAPROXY = {
    "one_more": ([HDR], "0 1 2", "0 1 2 3"),
    "one_less": ([HDR], "0 1 2 3", "0 2 3"),
    "weights": ([HDR], "0 1:weight=2 2", "0:weight=3 1 2"),
    "disabled": ([HDR], "0 1 2 3", "0 1:disabled 2 3"),
    "avalanche": ([HDR, "hash-type map-based djb2 avalanche"], "0 1 2", "0 1 2 3"),
    "ring_one_more": ([HDR, "hash-type consistent"], "0 1 2", "0 1 2 3"),
    "ring_first_gone": ([HDR, "hash-type consistent"], "0 1 2 3", "1 2 3"),
    "ring_first_gone_with_ids": ([HDR, "hash-type consistent"], "0:id=1 1:id=2 2:id=3 3:id=4", "1:id=2 2:id=3 3:id=4"),
    "ring_weights": ([HDR, "hash-type consistent crc32"], "0 1 2", "0:weight=3 1 2"),
    "ring_disabled": ([HDR, "hash-type consistent"], "0 1 2 3", "0 1:disabled 2 3"),
    "to_a_ring": (([HDR], [HDR, "hash-type consistent"]), "0 1 2 3", "0 1 2 3"),
    "addresses": (["balance source"], "0 1 2", "0 1 2 3"),
}


def sides(case):
    """Return (first lines, servers) of both versions."""
    first, old, new = case
    starts = first if isinstance(first, tuple) else (first, first)
    return list(zip(starts, (old, new), strict=True))


def nginx_lines(side, addresses):
    start, servers = side
    words = [word.partition(":") for word in servers.split()]
    return [start, *(f"server {addresses[int(number)]} {what};" for number, _, what in words)]


def haproxy_lines(side, addresses):
    start, servers = side
    words = [word.partition(":") for word in servers.split()]
    return [
        *start,
        *(f"server s{number} {addresses[int(number)]} {what.replace('=', ' ')}" for number, _, what in words),
    ]


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(4) as servers:
        yield servers


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, backend):
    port = proxies.free_port()
    text = ["keepalive_requests 1000000; map_hash_bucket_size 128;"]
    text += [f"server {{ listen 127.0.0.1:{port}; set_real_ip_from 127.0.0.1; real_ip_header X-Client;"]
    text += [f"location /{name}{at}/ {{ proxy_pass http://{name}{at}; }}" for name in NGINX for at in (0, 1)] + ["}"]
    for name, case in NGINX.items():
        for at, side in enumerate(sides(case)):
            text.append(f"upstream {name}{at} {{ {' '.join(nginx_lines(side, backend.addresses))} }}")
    with proxies.nginx(tmp_path_factory.mktemp("nginx"), "\n".join(text), port), proxies.Client(port) as client:
        yield client


@pytest.fixture(scope="module")
def haproxy(tmp_path_factory, backend):
    port = proxies.free_port()
    text = ["defaults", "mode http", "timeout client 30s", "timeout server 30s", "timeout connect 5s"]
    text += ["frontend f", f"bind 127.0.0.1:{port}"]
    text += ["http-request set-src hdr(x-client) if { hdr(x-client) -m found }", "use_backend %[path,field(2,/)]"]
    for name, case in HAPROXY.items():
        for at, side in enumerate(sides(case)):
            text += [f"backend {name}{at}", *haproxy_lines(side, backend.addresses)]
    with proxies.haproxy(tmp_path_factory.mktemp("haproxy"), "\n".join(text), port), proxies.Client(port) as client:
        yield client


def held(client, name, predicted):
    """Hold a predicted part of moved keys to a count over 1,500 keys, by chi-square."""
    header, keys = ("X_Client", ADDRESSES) if name.startswith("addresses") else ("X_Key", KEYS)
    before, after = ([client.ask(f"/{name}{at}/", **{header: key}) for key in keys] for at in (0, 1))
    moved = sum(was != now for was, now in zip(before, after, strict=True))
    assert None not in before + after
    assert chi_square_p([moved, len(keys) - moved], [predicted, 1 - predicted]) > IMPOSSIBLE, (moved, predicted)


@proxies.needs_nginx
@pytest.mark.parametrize("name", NGINX)
def test_nginx(nginx, backend, name):
    pool = app("nginx", *(nginx_lines(side, backend.addresses) for side in sides(NGINX[name])))
    held(nginx, name, pool.keys_moved)


@proxies.needs_haproxy
@pytest.mark.parametrize("name", HAPROXY)
def test_haproxy(haproxy, backend, name):
    pool = app("haproxy", *(haproxy_lines(side, backend.addresses) for side in sides(HAPROXY[name])))
    held(haproxy, name, pool.keys_moved)
