"""Where HAProxy's servers stand on the ring by `hash-key`: picks that HAProxy 3.5-dev5 made."""

from __future__ import annotations

import pytest
from traffic.pools import pool, server

from lbcheck.model import Address
from lbcheck.traffic.algorithms import chash, hashes, shares
from lbcheck.traffic.algorithms.members import members
from lbcheck.traffic.algorithms.serverkeys import server_key

#: Of servers 127.0.0.11:18011 to 127.0.0.13:18013 with weights 1 to 3 and guids made of the word and a to c (or of
#: their mapped IPv6 addresses), the one that each key-0, key-1, … went to under `balance hdr(x-key)`.
PICKS = {
    ("addr", "ipv4"): "220102210110212121211022122201221201202012102112222012222201",
    ("addr-port", "ipv4"): "120210112100222202222112212102021201222222221220212020211211",
    ("guid", "ipv4"): "221221221201012112221020112210112212010222102112121221222101",
    ("id32", "ipv4"): "201011221111222120220022222211100110022002221222222211222000",
    ("addr", "ipv6"): "121222220222021212211210022112212022220212101102211212112111",
    ("addr-port", "ipv6"): "121201212001222222112222212122212212022211221221201202111222",
}


def made(word, kind):
    servers = []
    for at in range(3):
        host, port = f"127.0.0.{11 + at}", 18011 + at
        servers.append(server(at + 1, **{"hash-key": word, "guid": f"{word}-{'abc'[at]}"}))
        servers[-1].address = Address(host, kind, f"::ffff:{host}" if kind == "ipv6" else host, port)
    return members(pool("hdr", servers))


@pytest.mark.parametrize(("word", "kind"), PICKS)
def test_hash_key(word, kind):
    found = made(word, kind)
    tree = chash.Tree([one.number for one in found], [one.weight for one in found], [server_key(one) for one in found])
    picks = [tree.server_for(hashes.key_hash(b"key-%d" % at, avalanche=True)) for at in range(60)]
    assert "".join(map(str, picks)) == PICKS[word, kind]


def test_the_id_stands_in():
    """For an address that is no internet address, and for a guid that is not written."""
    by_id, by_guid, local = (server(**options) for options in ({}, {"hash-key": "guid"}, {"hash-key": "addr"}))
    local.address = Address("/run/app.sock", "unix", "/run/app.sock", None)
    keys = [server_key(member) for member in members(pool("hdr", [by_id, by_guid, local]))]
    assert keys == [4096, 2 * 4096, 3 * 4096]


def test_what_is_known_at_run_time_only():
    named, ported, wrong = (server(**{"hash-key": "addr-port"}) for _ in range(3))
    named.address = Address("app:80", "name", "app", 80)
    ported.address = Address("10.0.0.1", "ipv4", "10.0.0.1", None)
    wrong.address = Address("300.0.0.1:80", "ipv4", "300.0.0.1", 80)
    assert [server_key(member) for member in members(pool("hdr", [named, ported, wrong]))] == [None] * 3
    found = shares(pool("hdr", [named, 1], consistent=True, avalanche=True), "haproxy")
    assert "hash-key addr-port" in found.reason


def test_shares_follow_the_keys():
    servers = [server(at=at, **{"hash-key": "addr"}) for at in (1, 2, 3)]
    found = shares(pool("random", servers), "haproxy")
    assert found.exact
    assert found.servers != shares(pool("random", [1, 1, 1]), "haproxy").servers
    turned = shares(pool("random", servers[::-1]), "haproxy")
    assert turned.servers == found.servers[::-1]


@pytest.mark.parametrize(
    ("data", "seed", "value"),
    [
        (b"", 0, 0x02CC5D05),
        (b"abc", 0, 0x32D153FF),
        (b"Nobody inspects the spammish repetition", 0, 0xE2293B2F),
        (bytes(range(16)), 0x9E3779B1, 0x2FBDEAF3),
    ],
)
def test_xxh32(data, seed, value):
    """As the xxhash library gives it."""
    assert hashes.xxh32(data, seed) == value
