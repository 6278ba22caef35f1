"""Which requests the real Traefik gives to a pool, plain and over TLS, against what is said of each router."""

from __future__ import annotations

import http.client
import json
import ssl

import proxies
import pytest

from lbcheck.dialects import traefik
from lbcheck.files import DiskFiles

pytestmark = proxies.needs_traefik

REDIRECTS = {
    "regex": {"redirectRegex": {"regex": ".*", "replacement": "http://other.test/"}},
    "to_tls": {"redirectRegex": {"regex": "^http://(.*)", "replacement": "https://$1"}},
    "escaped": {"redirectRegex": {"regex": r"^https?:\/\/(.+)$", "replacement": "https://${1}"}},
    "other": {"redirectRegex": {"regex": "^http://www[.](.*)", "replacement": "http://$1"}},
    "same": {"redirectRegex": {"regex": "^(.*)$", "replacement": "$1"}},
    "https": {"redirectScheme": {"scheme": "https"}},
    "http": {"redirectScheme": {"scheme": "http"}},
}
SERVICES = {
    "none": {"weighted": {"services": [{"name": "app", "weight": 0}, {"name": "app2", "weight": 0}]}},
}


def dynamic(address):
    routers = {}
    for tls in (False, True):
        for name in ("", *REDIRECTS, "none"):
            router = {"rule": f"PathPrefix(`/{name or 'plain'}-{'tls' if tls else 'open'}/`)"}
            router["service"] = name if name in SERVICES else "app"
            if name in REDIRECTS:
                router["middlewares"] = [name]
            if tls:
                router["tls"] = {}
            routers[router["rule"][13:-3]] = router
    app = {"loadBalancer": {"servers": [{"url": f"http://{address}"}]}}
    services = {"app": app, "app2": app, **SERVICES}
    return json.dumps({"http": {"routers": routers, "services": services, "middlewares": REDIRECTS}})


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return the config, and for each router the statuses that plain requests and those over TLS get."""
    port = proxies.free_port()
    with proxies.Servers(1) as backend:
        text = dynamic(backend.addresses[0])
        (config,) = traefik.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
        names = json.loads(text)["http"]["routers"]
        with proxies.traefik(tmp_path_factory.mktemp("traefik"), text, port):
            found = {name: (status(port, name, tls=False), status(port, name, tls=True)) for name in names}
    return config, found


def status(port, name, *, tls):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    connection = kind("127.0.0.1", port, timeout=10, **({"context": context} if tls else {}))
    try:
        connection.request("GET", f"/{name}/", headers={"Host": "x.test"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_router_takes_requests_over_tls_or_plain_ones_and_never_both(served):
    _, found = served
    for name, (plain, secure) in found.items():
        assert (secure if name.endswith("-open") else plain) == 404, name


def test_what_is_said_to_answer_answers_and_the_rest_is_served(served):
    config, found = served
    routes = {route.label: route for frontend in config.frontends for route in frontend.routes}
    assert routes.keys() == found.keys()
    for name, statuses in found.items():
        route, own = routes[name], statuses[name.endswith("-tls")]
        if all(target.share == 0 for target in route.targets) and route.outcome == "pools":
            assert (name.startswith("none"), own) == (True, 503), name
        elif "filters" in route.options:
            assert own in (200, 301, 302, 307), name
        else:
            assert (own == 200) == (route.outcome == "pools"), (name, own)


def test_what_is_not_known_is_what_depends_on_the_url(served):
    config, _ = served
    unsure = {route.label for one in config.frontends for route in one.routes if "filters" in route.options}
    assert unsure == {"escaped-tls", "other-open", "other-tls", "same-open", "same-tls"}
