"""Real configs by others, held against the verdicts of the real nginx: what it accepts is no error to us."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from lbcheck.dialects import nginx
from lbcheck.files import DiskFiles

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
ORACLE = CORPUS / "expected" / "oracle-nginx-1.22.1.tsv"

pytestmark = pytest.mark.skipif(not ORACLE.exists(), reason="the corpus of real configs is not beside the checkout")

#: Files of other classes with a true mistake, and which.
TRUE_MISTAKES = {
    "lua-block-tricky": "an upstream, called content_by_lua_block, without servers",
    "spelling-mistake": "proxy_passs",
    "broken1": "server_name#",
    "configs/braces": "a brace too many, a brace too few",
    "testdata/braces": "the same",
}

#: Files of class `config` that are not reported at nginx's line, and why.
NOT_REPORTED: dict[str, str] = {
    "messy/nginx.conf": "a main config, which the oracle saw wrapped in http {}",
    "includes-cycle/invalid": "reported as the include cycle that it is, before its locations are looked at",
    "limit-req-zone": "newer nginx takes a limit_req_zone without rate",
    "consul-dns-srv-demo": "server parameter `service`, of NGINX Plus and of nginx 1.27.3: rule O05",
    "fun-with-health-checks": "the same",
    "kubernetes-demo/third": "the same",
    "nginx-swarm-demo": "server parameter `resolve`, of NGINX Plus and of nginx 1.27.3: rule O05",
    "upstream_resolver_directive": "`resolver` inside `upstream`, of nginx 1.27.3",
    "coreos-demo": "NGINX Plus takes an upstream with a zone and no servers, for its API to fill",
    "openstack-heat-demo": "the same",
}


def rows(*classes):
    with ORACLE.open(newline="") as stream:
        table = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row for row in table if row["class"] in classes]


def hits(row):
    path = str(CORPUS / row["saved_path"])
    folder = str(Path(path).parent)
    return [hit for config in nginx.read([path], DiskFiles([folder])) for hit in config.hits]


def said(row):
    return [f"{hit.span.path[len(str(CORPUS)) + 1 :]}:{hit.span.line} {hit.code} {hit.args}" for hit in hits(row)]


def test_what_nginx_accepts_is_no_error():
    wrong = {row["saved_path"]: said(row) for row in rows("ok") if said(row)}
    assert len(rows("ok")) > 400
    assert wrong == {}


@pytest.mark.parametrize(
    "name", ["unknown-directive", "needs-module", "config(version?)", "config(fragment-context)", "env"]
)
def test_what_another_nginx_accepts_is_no_error(name):
    wrong = {row["saved_path"]: said(row) for row in rows(name) if said(row)}
    assert {path: text for path, text in wrong.items() if not any(part in path for part in TRUE_MISTAKES)} == {}


def test_templates_are_no_errors():
    paths = sorted((CORPUS / "templated").rglob("nginx*.jinja"))
    said = {
        path.name: [(hit.code, hit.args) for config in nginx.read([str(path)], DiskFiles([str(path.parent)]))
                    for hit in config.hits]
        for path in paths
    }  # fmt: skip
    assert len(paths) >= 3
    assert {name: hits for name, hits in said.items() if hits} == {}


def test_each_true_mistake_is_still_found():
    found = [
        row["saved_path"] for row in rows("unknown-directive", "needs-module", "config(version?)", "env") if said(row)
    ]
    assert [part for part in TRUE_MISTAKES if not any(part in path for path in found)] == []


def _reported(row):
    message = row["errors"].split(" || ")[0]
    line = int(message.rpartition(":")[2]) if message.rpartition(":")[2].isdigit() else None
    name = message.rpartition("/")[2].rpartition(":")[0]
    places = [(hit.span, hit) for hit in hits(row)]
    places += [(related.span, hit) for hit in hits(row) for related in hit.related]
    return any(line is None or (span.line == line and Path(span.path).name == name) for span, _ in places)


def test_what_nginx_refuses_is_reported_at_its_line():
    refused = rows("config")
    counted = Counter(_reported(row) for row in refused)
    missed = [row["saved_path"] for row in refused if not _reported(row)]
    assert counted[True] >= 0.6 * len(refused)
    assert [path for path in missed if not any(part in path for part in NOT_REPORTED)] == []
    assert [part for part in NOT_REPORTED if not any(part in path for path in missed)] == []
