"""Files with the endpoints of a cluster, on the real Envoy: which of them it takes."""

from __future__ import annotations

import json

import proxies
import pytest
from traffic.test_real_envoy import bootstrap, by_eds

from lbcheck.checks.pools import pool_empty
from lbcheck.context import Context
from lbcheck.dialects.envoy import read
from lbcheck.files import DiskFiles
from lbcheck.traffic.algorithms import shares

pytestmark = proxies.needs_envoy


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(1) as servers:
        yield servers


def texts(port, backend, names, path, service=None):
    """Return a bootstrap with a cluster app of EDS, and the file at the path: an assignment of each of these names."""
    made = json.loads(bootstrap(port, backend.addresses, {"app": ("ROUND_ROBIN", {}, [(1, 0, None, True)])}))
    sent = json.loads(by_eds(made, path)[path])
    if service:
        made["static_resources"]["clusters"][0]["eds_cluster_config"]["service_name"] = service
    (only,) = sent["resources"]
    sent["resources"] = [{**only, "cluster_name": name} for name in names]
    return json.dumps(made), json.dumps(sent)


def lowered(boot, path, sent):
    files = {"envoy.json": boot, **({path: sent} if sent is not None else {})}
    (config,) = read([*files], DiskFiles(memory=files))
    assert not config.hits
    return config


@pytest.mark.parametrize(
    ("names", "service", "said"),
    [
        (["app"], None, None),
        (["shop"], "shop", None),
        (["app"], "shop", "eds.json has the endpoints of app, and Envoy takes those of shop alone"),
        (["other"], None, "eds.json has the endpoints of other, and Envoy takes those of app alone"),
        (["app", "other"], None, "eds.json has 2 load assignments, and Envoy takes a file with one alone"),
        (["other", "app"], None, "eds.json has 2 load assignments, and Envoy takes a file with one alone"),
    ],
)
def test_what_a_file_has(tmp_path, backend, names, service, said):
    port = proxies.free_port()
    path = str(tmp_path / "eds.json")
    boot, sent = texts(port, backend, names, path, service)
    config = lowered(boot, path, sent)
    assert not config.unmodelled
    (pool,) = config.pools
    assert shares(pool, "envoy").unserved == (0 if said is None else 1)
    found = [(hit.args["effect"], len(hit.related)) for hit in pool_empty(config, Context())]
    assert found == ([] if said is None else [(f"{said}; every request to it ends in an error", len(names))])
    tmp_path.joinpath(path).write_text(sent)
    with proxies.envoy(tmp_path, boot, port), proxies.Client(port) as client:
        assert client.answer_to("/app/").status == (200 if said is None else 503)


def test_a_file_of_no_assignment(tmp_path, backend):
    """Such an update is none: the cluster stays as empty as it was."""
    port = proxies.free_port()
    path = str(tmp_path / "eds.json")
    boot, _ = texts(port, backend, ["app"], path)
    empty = json.dumps({"version_info": "1", "resources": []})
    config = lowered(boot, path, empty)
    (pool,) = config.pools
    assert shares(pool, "envoy").unserved == 1
    tmp_path.joinpath(path).write_text(empty)
    with proxies.envoy(tmp_path, boot, port), proxies.Client(port) as client:
        assert client.answer_to("/app/").status == 503


def test_a_file_that_was_not_given(backend):
    boot, _ = texts(1024, backend, ["app"], "/etc/envoy/eds.json")
    config = lowered(boot, "/etc/envoy/eds.json", None)
    reason = "its endpoints come from the file /etc/envoy/eds.json, which was not given"
    assert [counted.reason for counted in config.unmodelled] == [reason]
    assert config.pools[0].open == reason
    assert not list(pool_empty(config, Context()))


def test_a_template_in_a_name(backend):
    boot, sent = texts(1024, backend, ["{{ name }}"], "eds.json")
    config = lowered(boot, "eds.json", sent)
    assert [counted.reason for counted in config.unmodelled] == ["a template decides its members"]


def test_a_control_plane(backend):
    made = json.loads(texts(1024, backend, ["app"], "eds.json")[0])
    made["static_resources"]["clusters"][0]["eds_cluster_config"] = {"eds_config": {"ads": {}}}
    config = lowered(json.dumps(made), "eds.json", None)
    assert [counted.reason for counted in config.unmodelled] == ["a control plane sends its endpoints (EDS)"]


def test_routes_of_a_file_that_was_not_given(backend):
    made = json.loads(bootstrap(1024, backend.addresses, {"app": ("ROUND_ROBIN", {}, [(1, 0, None, True)])}))
    manager = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["route_config"]
    manager["rds"] = {"route_config_name": "web", "config_source": {"path_config_source": {"path": "/etc/rds.json"}}}
    config = lowered(json.dumps(made), "eds.json", None)
    reason = "the routes web come from the file /etc/rds.json, which was not given or has no such routes"
    assert [counted.reason for counted in config.unmodelled] == [reason]
