"""Real Traefik files by others: every one is read, and none that Traefik runs has an error."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from lbcheck import project
from lbcheck.dialects import dialect
from lbcheck.discovery import discover
from lbcheck.files import DiskFiles
from lbcheck.project import Request
from lbcheck.settings import Settings

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"

pytestmark = pytest.mark.skipif(not (CORPUS / "traefik").exists(), reason="the corpus is not beside the checkout")

#: Files that nobody runs, and why.
NOT_RUN = {
    "docs/content/reference/static-configuration/file.toml": "a generated reference in which every value is foobar",
    "docs/content/reference/static-configuration/file.yaml": "a generated reference in which every value is foobar",
    "pkg/config/dynamic/fixtures/sample.toml": "says of itself that it is not meant as a usable configuration",
}
#: Why a file is none of Traefik's configurations.
LEFT_ALONE = {".json": "what Traefik's own providers make, as its tests expect it; it reads no JSON files"}


@pytest.fixture
def there(monkeypatch):
    monkeypatch.chdir(CORPUS)


@pytest.mark.usefixtures("there")
def test_every_file_is_read_or_left_alone_for_a_reason():
    found, refused = discover(["traefik"], DiskFiles(["."]))
    paths = {str(path) for path in Path("traefik").rglob("*") if path.is_file()}
    assert refused == []
    assert Counter(item.dialect for item in found) == {"traefik": 36}
    assert Counter(os.path.splitext(path)[1] for path in paths - {item.path for item in found}) == {".json": 17}
    assert set(LEFT_ALONE) == {".json"}


@pytest.mark.usefixtures("there")
def test_no_error_on_a_file_that_is_run():
    result = project.check(Request(("traefik",)), project.judge(Settings()))
    errors = {item.place.path for item in result.findings if item.code.startswith("E")}
    assert errors == {os.path.join("traefik", "traefik__traefik", path) for path in NOT_RUN}
    assert not any(item.code == "E00" for item in result.findings)


@pytest.mark.usefixtures("there")
def test_no_other_file_is_taken_for_traefik_s():
    found, _ = discover(["kubernetes", "istio", "envoy"], DiskFiles(["."]))
    assert [item.path for item in found if item.dialect == "traefik"] == []


@pytest.mark.usefixtures("there")
def test_the_reference_is_read_whole():
    folder = "traefik/traefik__traefik/docs/content/reference/dynamic-configuration"
    for name in ("file.yaml", "file.toml"):
        (config,) = dialect("traefik").read([f"{folder}/{name}"], DiskFiles(["."]))
        assert config.hits == []
        assert {pool.scope for pool in config.pools} == {"http", "tcp", "udp"}
        assert len(config.tree.broken) == 4


@pytest.mark.usefixtures("there")
def test_every_compose_file_is_read_and_none_has_an_error_of_reading():
    found, refused = discover(["compose"], DiskFiles(["."]))
    paths = {str(path) for path in Path("compose").rglob("*") if path.is_file()}
    assert refused == []
    assert {item.path for item in found} == paths
    assert Counter(item.dialect for item in found) == {"traefik": 24}
    result = project.check(Request(("compose",)), project.judge(Settings()))
    assert [item for item in result.findings if item.code.startswith("E")] == []
    # two containers of an integration test, of which Traefik is never shown both, fight for one router
    assert {(item.code, os.path.basename(item.place.path)) for item in result.findings if item.severity == "error"} == {
        ("P14", "docker.yml")
    }
