"""Real manifests by others: what their origins run is no error to us, and what an API server must refuse is one."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from lbcheck.dialects import kubernetes
from lbcheck.files import DiskFiles
from lbcheck.findings import at_least
from lbcheck.project import judge
from lbcheck.settings import Settings
from lbcheck.text import Source
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
EXPECTED = CORPUS / "expected"
CONFORMANCE = "kubernetes/kubernetes-sigs__gateway-api/conformance/"

pytestmark = [
    pytest.mark.skipif(not EXPECTED.exists(), reason="the corpus of real configs is not beside the checkout"),
    pytest.mark.usefixtures("here"),
]

#: Kinds of which a file is not ours: Traefik's are that dialect's, the others decide no traffic.
OTHERS = re.compile(
    r"(?:IngressRoute|Middleware|ServersTransport|TLSOption|TLSStore|TraefikService)\w*\Z|"
    r"(?:ConfigMap|Secret|Node|ProxyConfig|Telemetry|RequestAuthentication|AuthorizationPolicy|PeerAuthentication|"
    r"WasmPlugin)\Z"
)
#: Findings of reading in files that are run, and why they are right.
TRUE = {
    "_archived/openshift-origin/": "a Deployment with two selectors, of which kubectl drops the first",
    "conformance/tests/gateway-static-addresses.yaml": "a placeholder that the test suite fills in",
}
#: Files that are the input of unit tests, not of a cluster: an API server would refuse some of them, and is not asked.
UNIT_TESTS = re.compile(r"/fixtures/|/testdata/|/invalid-examples/")


def rows(name):
    with (EXPECTED / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


@pytest.fixture
def here(monkeypatch):
    monkeypatch.chdir(CORPUS)


def read(*paths):
    (config,) = kubernetes.read(list(paths), DiskFiles(roots=[str(CORPUS)]))
    return config


def check(config, *complete):
    settings = Settings()
    settings.complete_namespaces = frozenset(complete)
    return judge(settings)(config)


@pytest.mark.parametrize(("name", "recognised"), [("kubernetes", 800), ("istio", 170)])
def test_every_file_is_read_or_of_a_kind_that_is_not_ours(name, recognised):
    ours, left = [], Counter()
    for path in sorted(path for path in Path(name).rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        if kubernetes.recognises(Source(str(path), text)):
            ours.append(str(path))
        else:
            left.update(re.findall(r"^kind:\s*(\S+)", text, re.MULTILINE))
    strange = {kind for kind in left if not OTHERS.match(kind)} - {"Ingress"}  # Knative has one of its own
    assert len(ours) >= recognised
    assert strange == set()
    config = read(*ours)
    result = check(config)
    run = traffic(config, Scenario())
    for pool in run.pools:
        assert pool.reason or sum(server.share for server in pool.servers) + pool.unserved == pytest.approx(1)
    wrong = [
        finding
        for finding in result.findings
        if finding.code[0] == "E"
        and not UNIT_TESTS.search("/" + finding.place.path)
        and not any(part in finding.place.path for part in TRUE)
    ]
    told = [f"{finding.place.path}:{finding.place.line}: {finding.code} {finding.message}" for finding in wrong]
    # A virtual service that istioctl's own test sends, to see what is said about it.
    assert [line for line in told if "missing-gateway.yaml" not in line] == []


def test_gateway_api_refuses_what_is_invalid():
    silent = []
    expected = rows("gateway-api-invalid-examples.tsv")
    for row in expected:
        config = read(row["saved_path"])
        bad = [one for one in check(config).findings if at_least(one.severity, "warning")]
        kinds = {one.kind for one in config.tree.cluster.objects}
        if not any(one.object and one.object["kind"] in kinds for one in bad):
            silent.append(row["saved_path"])
    assert len(expected) == 36
    assert silent == []


def test_istio_refuses_what_is_invalid_and_nothing_else():
    kinds = {"DestinationRule", "VirtualService", "Gateway", "ServiceEntry", "WorkloadEntry", "WorkloadGroup"}
    seen = Counter()
    for row in rows("istio-crd-validation.tsv"):
        if row["kind"] not in kinds:
            continue
        config = read(row["saved_path"])
        ours = [one for one in config.tree.cluster.objects if one.kind == row["kind"]]
        node = ours[int(row["doc_no"]) - 1].node
        bad = any(
            at_least(one.severity, "warning") and node.start <= one.place.start <= node.end
            for one in check(config).findings
        )
        invalid = bool(row["expected_error_substring(empty=valid)"])
        seen["invalid" if invalid else "valid", bad] += 1
    assert seen == {("invalid", True): 25, ("valid", False): 16}


def test_gateway_api_conformance():
    """Where a test expects all conditions to hold there is no error; of the others those about routes are found."""
    false, found, quiet = [], 0, 0
    for row in rows("gateway-api-conformance.tsv"):
        paths = [path for path in row["saved_paths"].split() if Path(path).exists()]
        config = read(CONFORMANCE + "base/manifests.yaml", CONFORMANCE + "mesh/manifests.yaml", *paths)
        errors = [one for one in check(config).findings if one.place.path in paths and one.severity == "error"]
        if "=False" not in row["conditions_asserted"]:
            false += [f"{row['test']}: {one.code} {one.message}" for one in errors]
            quiet += 1
        elif "RouteCondition" in row["conditions_asserted"]:
            found += bool(errors or any(one.severity == "error" for one in check(config, "*").findings))
    assert (false, quiet) == ([], 106)
    assert found >= 20
