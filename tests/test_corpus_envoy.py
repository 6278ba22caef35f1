"""Real Envoy configs by others: each is read or listed, and none that its origin runs has an error of reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from lbcheck import project
from lbcheck.project import Request
from lbcheck.settings import from_text

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
ENVOY = CORPUS / "envoy"

pytestmark = pytest.mark.skipif(not ENVOY.exists(), reason="the corpus of real configs is not beside the checkout")


@pytest.fixture(scope="module")
def result():
    return project.check(Request((str(ENVOY),)), project.judge(from_text("")))


def test_every_file_is_read(result):
    files = [path for path in ENVOY.rglob("*") if path.is_file()]
    assert len(files) == result.counts.files == 67


def test_no_error_of_reading(result):
    told = [f"{found.place.path}:{found.place.line}: {found.code} {found.message}" for found in result.findings
            if found.code[0] == "E"]  # fmt: skip
    assert not told, "\n".join(told)


def test_no_other_dialect_is_taken_for_envoy():
    from lbcheck.dialects import envoy
    from lbcheck.text import Source

    others = [folder for folder in CORPUS.iterdir() if folder.is_dir() and folder.name not in ("envoy", "expected")]
    taken = [
        str(path)
        for folder in others
        for path in folder.rglob("*")
        if path.suffix in (".yaml", ".yml", ".json")
        and envoy.recognises(Source(str(path), path.read_text(errors="replace")))
    ]
    assert not taken
