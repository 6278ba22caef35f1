"""Real configs by others, held against the verdicts of the real HAProxy: what it accepts is no error to us."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from lbcheck.checks.versions import feature_needs_version
from lbcheck.context import Context
from lbcheck.dialects import haproxy
from lbcheck.files import DiskFiles

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
EXPECTED = CORPUS / "expected"
ORACLE = EXPECTED / "oracle-haproxy-2.6.12.tsv"
GLOBAL = CORPUS / "haproxy" / "HariSekhon__HAProxy-configs" / "10-global.cfg"

pytestmark = pytest.mark.skipif(not ORACLE.exists(), reason="the corpus of real configs is not beside the checkout")

#: The version whose verdicts these are.
TARGET = Context({"haproxy": (2, 6)})
#: Files of class `config` that are not reported at haproxy's line, and why. Those that use what is newer are, with 2.6
#: as the target; but for one that writes `abnsz@` twice, and haproxy stops at the second line, ours is the first.
NOT_REPORTED = {
    "newer than 2.6": (
        "examples/keylog-test",
        "examples/mptcp",
        "checks/healthcheck-section",
        "checks/tcp-check-client-hello.vtc.htst",
        "connection/reverse_connect_full.vtc.h_dev",
        "checks/http-check.vtc",
        "converter/bytes",
        "http-rules/forwarded-header-7239.vtc.h1",
        "http-rules/h1or2_to_h1c",
        "log/log_backend",
        "log/log_profiles",
        "qmux/h3_clr",
        "server/abnsz",
        "conf/test-hash-preseve-affinity",
        "force_be_switches",
        "global/data/haproxy_2.8",
        "http_after_response_rules/data/haproxy_2.8",
        "http_request_rules/data/haproxy_2.8",
        "http_response_rules/data/haproxy_2.8",
        "tcp_request_rules/data/haproxy_2.8",
        "tcp_response_rules/data/haproxy_2.8",
        "runtime_acme",
        "configuration_test.go.testConf",
        "quic/h3_unknown_length_req.vtc.ha_h3srv",
        "quic/retry.vtc.ha2",
        "quic/stream_max_total.vtc.ha_qsrv",
    ),
    "a file or an environment variable that is not there": (
        "e2e/runtime/parallel",
        "e2e/runtime/version",
        "runtime_ssl_crt_lists",
        "storage_ssl_crt_lists",
    ),
    "a module or a Lua script that is not loaded": (
        "examples/wurfl-example",
        "examples/games",
        "mailers/healthcheckmail",
    ),
    "an unknown backend: rule P02": ("haproxy.d/frontends/FE_WWW",),
}


def table(name):
    with (EXPECTED / name).open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def rows(*classes):
    return [row for row in table(ORACLE.name) if row["class"] in classes]


def config(row):
    paths = [str(CORPUS / row["saved_path"])]
    if row.get("mode") == "with 10-global.cfg":
        paths.insert(0, str(GLOBAL))
    return haproxy.read_group(paths, DiskFiles([str(CORPUS)]))


def said(row):
    return [
        f"{hit.span.path[len(str(CORPUS)) + 1 :]}:{hit.span.line} {hit.code} {hit.args}" for hit in config(row).hits
    ]


def wrong(found):
    return {row["saved_path"]: hits for row in found if (hits := said(row))}


def test_what_haproxy_accepts_is_no_error():
    assert wrong(rows("ok")) == {}


def test_what_only_lacks_a_version_a_listener_or_a_file_is_no_error():
    assert wrong(rows("config(version?)", "no-listener", "env")) == {}


def test_what_haproxys_own_tests_start_is_no_error():
    accepted = [row for row in table("haproxy-regtests.tsv") if row["expected"].startswith("accept")]
    assert len(accepted) > 250
    assert wrong(accepted) == {}


def reported(row, *, target=False):
    theirs = {int(line) for line in re.findall(r"FILE:(\d+)\]", row["errors"])}
    read = config(row)
    ours = {hit.span.line for hit in (*read.hits, *(feature_needs_version(read, TARGET) if target else ()))}
    return bool(ours & theirs) if theirs else bool(ours)


def test_what_haproxy_refuses_is_reported_at_its_line():
    refused = rows("config")
    missed = [row["saved_path"] for row in refused if not reported(row)]
    explained = [end for ends in NOT_REPORTED.values() for end in ends]
    assert [path for path in missed if not any(end in path for end in explained)] == []
    assert [end for end in explained if not any(end in path for path in missed)] == []
    newer = len(NOT_REPORTED["newer than 2.6"])
    assert len(refused) - len(missed) >= 0.75 * (len(refused) - newer)


def test_with_its_version_as_the_target_newer_features_are_reported_at_its_line():
    refused = rows("config")
    missed = [row["saved_path"] for row in refused if not reported(row, target=True)]
    newer = NOT_REPORTED["newer than 2.6"]
    assert [path for path in missed if any(end in path for end in newer) and "abnsz" not in path] == []
    assert len(refused) - len(missed) >= 0.85 * len(refused)
    versions = rows("config(version?)")
    assert sum(reported(row, target=True) for row in versions) >= 0.9 * len(versions)


def test_what_haproxy_accepts_is_not_too_new_for_it():
    needs = {
        row["saved_path"]: [hit.args["feature"] for hit in feature_needs_version(config(row), TARGET)]
        for row in rows("ok", "no-listener")
    }
    assert {path: features for path, features in needs.items() if features} == {}


def test_lines_that_haproxys_authors_marked_as_mistakes_are_reported():
    found = Counter()
    for row in table("haproxy-tests-conf-comments.tsv"):
        lines = {hit.span.line for hit in config(row).hits}
        found[int(row["line"]) in lines] += 1
    assert found[True] >= 0.7 * found.total()


def test_every_config_is_recognised_by_its_content():
    files = DiskFiles([str(CORPUS)])
    for row in rows("ok", "env", "no-listener"):
        source = files.read(str(CORPUS / row["saved_path"]))
        assert haproxy.recognises(source) or not source.text.strip(), row["saved_path"]


def test_what_is_not_haproxy_is_left_alone():
    files = DiskFiles([str(CORPUS)])
    folders = ("nginx", "compose", "envoy", "traefik", "istio", "kubernetes")
    paths = [path for folder in folders for path in sorted((CORPUS / folder).rglob("*")) if path.is_file()]
    assert [path for path in paths if haproxy.recognises(files.read(str(path)))] == []
