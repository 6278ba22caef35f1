"""IngressRoutes and TraefikServices on the real Traefik, which has them from an API server: shares and effects."""

from __future__ import annotations

from contextlib import contextmanager

import kube_api
import proxies
import pytest
import yaml

from lbcheck.declared import Declarations, declare
from lbcheck.dialects import kubernetes
from lbcheck.files import DiskFiles
from lbcheck.project import judge
from lbcheck.settings import Settings
from lbcheck.traffic.algorithms import shares
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

pytestmark = proxies.needs_traefik

#: Services by the numbers of the test's servers that are their pods.
SERVICES = {"web": [0, 1, 2], "api": [3]}
SPLITS = {
    "split": {"weighted": {"services": [{"name": "web", "port": 80, "weight": 3}, {"name": "api", "port": "http"}]}},
    "deep": {"weighted": {"services": [{"name": "split", "kind": "TraefikService"}, {"name": "api", "port": 80}]}},
    "copied": {"mirroring": {"name": "web", "port": 80, "mirrors": [{"name": "api", "port": 80, "percent": 100}]}},
    "none": {"weighted": {"services": [{"name": "web", "port": 80, "weight": 0}]}},
    "broken": {"weighted": {"services": [{"name": "web", "port": 80}, {"name": "gone", "port": 80}]}},
}
WEB, API, GONE = ({"name": name, "port": 80} for name in ("web", "api", "gone"))
#: Services of a route by its path; those that Traefik drops below.
ROUTES = {
    "/one": [WEB],
    "/two": [WEB, API],
    "/weighted": [{**WEB, "weight": 2}, {**API, "weight": 1}],
    "/drained": [{**WEB, "weight": 0}, API],
    "/native": [{**API, "strategy": "p2c"}],
    **{f"/{name}": [{"name": name, "kind": "TraefikService"}] for name in ("split", "deep", "copied", "none")},
}
DROPPED = {
    "/missing": [GONE],
    "/half": [WEB, GONE],
    "/port": [{"name": "web", "port": 81}],
    "/word": [{"name": "web", "port": "https"}],
    "/portless": [{"name": "web"}],
    "/unbuilt": [{"name": "broken", "kind": "TraefikService"}],
    "/unknown": [{"name": "nobody", "kind": "TraefikService"}],
}
EMPTY = {"name": "empty", "port": 80}
#: Routes to a Service without endpoints, alone and beside one that has some.
EMPTIED = {"/empty": [EMPTY], "/partly": [WEB, EMPTY]}
ALL = {**ROUTES, **DROPPED, **EMPTIED}


def manifest(addresses):
    routes = [{"match": f"PathPrefix(`{path}/`)", "services": few} for path, few in ALL.items()]
    routes += [
        {"match": "PathPrefix(`/twice/`)", "services": [WEB]},
        {"match": "PathPrefix(`/twice/`)", "services": [API]},
        {"match": "PathPrefix(`/first`)", "priority": 5000, "services": [API]},
        {"match": "PathPrefix(`/first/longer`)", "services": [WEB]},
        {"match": "PathPrefix(`/wrong/`) & Host(`a`)", "services": [WEB]},
    ]
    made = [made_object("traefik.io/v1alpha1", "IngressRoute", "shop", {"spec": {"routes": routes}})]
    made += [
        made_object("traefik.io/v1alpha1", "TraefikService", name, {"spec": spec}) for name, spec in SPLITS.items()
    ]
    for name, numbers in {**SERVICES, "empty": []}.items():
        spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}
        made.append(made_object("v1", "Service", name, {"spec": spec}))
        made += [slice_of(name, number, addresses[number]) for number in numbers]
    return yaml.safe_dump_all(made)


def made_object(version, kind, name, more):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "default"}, **more}


def slice_of(service, number, address):
    host, _, port = address.partition(":")
    more = {
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": int(port)}],
        "endpoints": [{"addresses": [host], "conditions": {"ready": True}}],
    }
    found = made_object("discovery.k8s.io/v1", "EndpointSlice", f"{service}-{number}", more)
    found["metadata"]["labels"] = {"kubernetes.io/service-name": service}
    return found


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(4) as found:
        yield found


@pytest.fixture(scope="module")
def text(backend):
    return manifest(backend.addresses)


@contextmanager
def running(folder, text, **settings):
    port = proxies.free_port()
    with kube_api.serving(text) as url:
        providers = {"kubernetesCRD": {"endpoint": url, **settings}}
        with proxies.traefik(folder, "", port, providers=providers), proxies.Client(port) as found:
            proxies.wait_until(lambda: found.answer_to("/one/").status == 200)
            yield found


@pytest.fixture(scope="module")
def client(tmp_path_factory, text):
    with running(tmp_path_factory.mktemp("traefik"), text) as found:
        yield found


@pytest.fixture(scope="module")
def config(text):
    (found,) = kubernetes.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    return found


def predicted(config, backend, at):
    """Return the parts of a route's requests by the test's servers, and the part that nobody serves."""
    (frontend,) = [one for one in config.frontends if one.name == "IngressRoute shop"]
    route = next(one for one in frontend.routes if one.label == f"shop, route {at + 1}")
    total = dict.fromkeys(backend.addresses, 0.0)
    for target in route.targets:
        found = shares(target.pool, "kubernetes")
        for server, share in zip(target.pool.servers, found.servers, strict=True):
            total[server.address.text] += share * target.share
    return [*total.values(), 1 - sum(total.values())]


@pytest.mark.parametrize("path", ROUTES)
def test_parts_over_many_cycles(client, config, backend, path):
    count = 3 * 4 * 8 * 5
    found = client.ask_all([f"{path}/"] * count)
    parts = predicted(config, backend, list(ROUTES).index(path))
    counts = [found.count(at) for at in range(4)] + [found.count(None)]
    # several routes share one service's turn, so that no count begins where a cycle does
    assert counts == pytest.approx([part * count for part in parts], abs=2)


@pytest.mark.parametrize("path", DROPPED)
def test_what_k04_says_ends_in_404(client, path):
    assert {client.answer_to(f"{path}/").status for _ in range(8)} == {404}


def test_k04_finds_what_is_dropped(config):
    settings = Settings()
    settings.complete_namespaces = frozenset("*")
    found = judge(settings)(config).findings
    routes = {finding.route.partition("`")[2].partition("/`")[0] for finding in found if finding.code == "K04"}
    assert routes >= set(DROPPED) - {"/unbuilt"}
    assert any("TraefikService broken" in finding.message for finding in found)
    assert not any(path in routes for path in ROUTES)


def unserved(text, path):
    """Return what `traffic` says of a route, where all objects are here: the unserved part of each target."""
    (config,) = kubernetes.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    declare(config, Declarations(complete=frozenset("*")))
    (frontend,) = [one for one in traffic(config, Scenario()).frontends if one.name == "IngressRoute shop"]
    (route,) = [one for one in frontend.routes if one.match == f"shop, route {list(ALL).index(path) + 1}"]
    return [target.unserved for target in route.targets]


@pytest.mark.parametrize("path", DROPPED)
def test_traffic_says_that_what_is_dropped_is_unserved(text, path):
    assert set(unserved(text, path)) == {1.0}


@pytest.mark.parametrize("path", ROUTES)
def test_traffic_calls_nothing_unserved_that_is_served(text, path):
    assert set(unserved(text, path)) == {0.0}


def test_an_empty_service_drops_its_whole_route_or_loses_its_part(tmp_path, text, client):
    assert unserved(text, "/empty") == [1.0]
    assert unserved(text, "/partly") == [None, 1.0]
    assert {client.answer_to(f"{path}/").status for path in EMPTIED for _ in range(8)} == {404}
    with running(tmp_path, text, allowEmptyServices=True) as other:
        assert {other.answer_to("/empty/").status for _ in range(8)} == {503}
        found = [other.answer_to("/partly/").status for _ in range(40)]
        assert (found.count(200), found.count(503)) == (20, 20)


def test_of_two_routes_with_one_rule_the_last_is_taken(client):
    assert {client.ask("/twice/") for _ in range(8)} == {3}


def test_a_priority_goes_before_length(client):
    assert {client.ask("/first/longer") for _ in range(8)} == {3}


def test_a_rule_that_is_refused_leads_nowhere(client):
    assert client.answer_to("/wrong/").status == 404
