"""Predicted against counted on the real Traefik: exact over whole cycles, pick by pick for hrw, else by chi-square."""

from __future__ import annotations

import json
from collections import Counter

import proxies
import pytest

from lbcheck.dialects import traefik
from lbcheck.files import DiskFiles
from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import rendezvous, shares

pytestmark = proxies.needs_traefik

DRAWS = 3000
CLIENTS = [f"127.{at % 200 + 1}.{at * 7 % 250}.{at * 13 % 250 + 1}" for at in range(200)]
#: Strategy and weights of a service's servers, the servers that bear the test's numbers 0, 1, …
SERVICES = {
    "wrr0": ("wrr", [1, 1, 1, 1]),
    "wrr1": ("wrr", [5, 1, 1]),
    "wrr2": ("wrr", [3, 2, 1]),
    "wrr3": ("wrr", [7, 3, 2]),
    "wrr4": ("wrr", [1, 1, 10]),
    "wrr5": ("wrr", [2, 0, 1]),
    "wrr6": ("wrr", [0, -1, 3]),
    "none": ("wrr", [0, 0]),
    "p2c": ("p2c", [1, 1, 1, 1]),
    "p2c_weighted": ("p2c", [5, 0, 1]),
    "p2c_two": ("p2c", [1, 3]),
    "hrw": ("hrw", [1, 1, 1, 1]),
    "hrw_weighted": ("hrw", [3, 1, 2]),
    "hrw_zero": ("hrw", [3, 0, 2]),
}
#: Services of one server: the first, the second, and so on.
ALONE = ("one", "two", "a", "b")
#: Services that hold services.
SPLITS = {
    "split": {"weighted": {"services": [{"name": "wrr0", "weight": 3}, {"name": "wrr1", "weight": 1}]}},
    "deep": {"weighted": {"services": [{"name": "split", "weight": 1}, {"name": "wrr2", "weight": 2}]}},
    "unsaid": {"weighted": {"services": [{"name": "one", "weight": 4}, {"name": "two"}]}},
    "rendezvous": {"highestRandomWeight": {"services": [{"name": "one", "weight": 3}, {"name": "two", "weight": 1}]}},
    "near": {"highestRandomWeight": {"services": [{"name": "a", "weight": 3}, {"name": "b", "weight": 1}]}},
    "copied": {"mirroring": {"service": "one", "mirrors": [{"name": "two", "percent": 50}]}},
}


def servers(addresses, weights=(None,) * 4):
    pairs = zip(addresses, weights, strict=False)
    return [{"url": f"http://{address}"} | ({} if weight is None else {"weight": weight}) for address, weight in pairs]


def dynamic(addresses):
    made = {
        name: {"loadBalancer": {"strategy": strategy, "servers": servers(addresses, weights)}}
        for name, (strategy, weights) in SERVICES.items()
    }
    made |= {name: {"loadBalancer": {"servers": servers(addresses[at % 2 :][:1])}} for at, name in enumerate(ALONE)}
    routers = {name: {"rule": f"PathPrefix(`/{name}/`)", "service": name} for name in [*SERVICES, *SPLITS]}
    return json.dumps({"http": {"routers": routers, "services": made | SPLITS}})


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(4) as found:
        yield found


@pytest.fixture(scope="module")
def text(backend):
    return dynamic(backend.addresses)


@pytest.fixture(scope="module")
def port(tmp_path_factory, text):
    number = proxies.free_port()
    with proxies.traefik(tmp_path_factory.mktemp("traefik"), text, number):
        yield number


@pytest.fixture(scope="module")
def config(text):
    (found,) = traefik.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    assert not found.hits
    return found


def predicted(config, name):
    pool = next(pool for pool in config.pools if pool.name == name)
    found = shares(pool, "traefik")
    assert found.reason is None
    return [*found.servers, found.unserved]


def targets(config, name):
    """Return the parts of a service's requests by pool."""
    (frontend,) = config.frontends
    route = next(route for route in frontend.routes if route.label == name)
    return {target.pool.name: target.share for target in route.targets}


def in_all(config, name, backend):
    """Return the parts of a service's requests by server, and the one that nobody serves."""
    total = dict.fromkeys([*backend.addresses, None], 0.0)
    for pool, part in targets(config, name).items():
        found = next(one for one in config.pools if one.name == pool)
        addresses = [server.address.text for server in found.servers]
        for address, share in zip([*addresses, None], predicted(config, pool), strict=True):
            total[address] += part * share
    return list(total.values())


def counted(port, name, count, size=4):
    with proxies.Client(port) as client:
        found = client.ask_all([f"/{name}/"] * count)
    return [found.count(at) for at in range(size)] + [found.count(None)]


@pytest.mark.parametrize("name", [name for name in SERVICES if name.startswith(("wrr", "none"))])
def test_turns_are_exact_over_whole_cycles(port, config, name):
    weights = SERVICES[name][1]
    count = 20 * (sum(weight for weight in weights if weight > 0) or 1)
    found = counted(port, name, count, len(weights))
    assert found == pytest.approx([part * count for part in predicted(config, name)])


@pytest.mark.parametrize("name", [name for name in SERVICES if name.startswith("p2c")])
def test_power_of_two_choices(port, config, name):
    found = counted(port, name, DRAWS, len(SERVICES[name][1]))
    assert chi_square_p(found, predicted(config, name)) > IMPOSSIBLE


@pytest.mark.parametrize("name", [name for name in SERVICES if name.startswith("hrw")])
def test_rendezvous_pick_by_pick(port, backend, name):
    weights = SERVICES[name][1]
    up = [at for at, weight in enumerate(weights) if weight]
    urls = [f"http://{backend.addresses[at]}" for at in up]
    for source in CLIENTS:
        with proxies.Client(port, source) as client:
            expected = up[rendezvous.choice(source, urls, [weights[at] for at in up])]
            assert client.ask(f"/{name}/") == expected, source


@pytest.mark.parametrize(("name", "cycle"), [("split", 4 * 4 * 7), ("deep", 3 * 4 * 4 * 7 * 6), ("unsaid", 5)])
def test_weighted_services_are_exact_over_whole_cycles(port, config, backend, name, cycle):
    assert counted(port, name, 2 * cycle) == pytest.approx([2 * cycle * part for part in in_all(config, name, backend)])


@pytest.mark.parametrize(("name", "children"), [("rendezvous", ["one", "two"]), ("near", ["a", "b"])])
def test_rendezvous_of_services_hashes_their_names(port, config, name, children):
    """Names that differ in their last letter are hardly told apart: all of near's clients come to one of them."""
    found = []
    for source in CLIENTS:
        with proxies.Client(port, source) as client:
            found.append(client.ask(f"/{name}/"))
    assert found == [rendezvous.choice(source, children, [3, 1]) for source in CLIENTS]
    parts = targets(config, name)
    assert [parts[child] for child in children] == pytest.approx(
        [found.count(at) / len(found) for at in (0, 1)], abs=0.15
    )
    assert (set(found) == {0}) is (name == "near")


def test_mirrors_get_copies_of_their_part_and_no_requests(port, config, backend):
    assert targets(config, "copied") == {"one": 1.0}
    assert "two" in {name for _, name in config.used}
    before = backend.counts[1]
    assert counted(port, "copied", 200)[:2] == [200, 0]
    proxies.wait_until(lambda: backend.counts[1] - before == 100)


def connections(folder, services, count):
    """Return how many of so many connections each server got, and the config: a TCP router takes them all."""
    port = proxies.free_port()
    router = {"rule": "HostSNI(`*`)", "service": next(iter(services))}
    text = json.dumps({"tcp": {"routers": {"r": router}, "services": services}})
    (found,) = traefik.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    with proxies.traefik(folder, text, port, ready=False):
        proxies.wait_until(lambda: _server_of(port) is not None)
        return Counter(_server_of(port) for _ in range(count)), found


def _server_of(port):
    try:
        with proxies.Client(port) as client:
            return client.answer_to().server
    except OSError:
        return None


def tcp(addresses):
    return {"loadBalancer": {"servers": [{"address": address} for address in addresses]}}


def test_tcp_connections_take_turns(tmp_path, backend):
    counts, config = connections(tmp_path, {"app": tcp(backend.addresses)}, 80)
    assert [counts[at] / 80 for at in range(4)] == pytest.approx(shares(config.pools[0], "traefik").servers)


def test_tcp_services_by_weight(tmp_path, backend):
    split = {"weighted": {"services": [{"name": "a", "weight": 3}, {"name": "b", "weight": 1}]}}
    services = {"split": split, "a": tcp(backend.addresses[:2]), "b": tcp(backend.addresses[2:3])}
    counts, config = connections(tmp_path, services, 80)
    (route,) = config.frontends[0].routes
    assert [target.share for target in route.targets] == [0.75, 0.25]
    assert [counts[at] for at in range(3)] == [30, 30, 20]


def test_a_tcp_server_without_a_port_is_left_out_and_one_with_a_wrong_port_is_not(tmp_path, backend):
    """What R11 says of both. A client that is turned away comes again, which takes a turn."""
    for number, (wrong, lost) in enumerate([("127.0.0.1", False), ("127.0.0.1:70000", True)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        counts, _ = connections(folder, {"app": tcp([wrong, backend.addresses[0]])}, 40)
        assert (counts[None] > 10) is lost
        assert counts[0] + counts[None] == 40
