"""Configs with a slip in them, given to the real Envoy: what it takes is no error to us."""

from __future__ import annotations

import random
import re
from pathlib import Path

import proxies
import pytest
from verdicts import verdict

from lbcheck import engine
from lbcheck.dialects import envoy
from lbcheck.files import DiskFiles

pytestmark = proxies.needs_envoy

RULES = Path(__file__).resolve().parents[3] / "rules"
EXAMPLES = [
    found[1]
    for page in sorted(RULES.glob("*.md"))
    for found in re.finditer(r"^```envoy[^\n]*\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
]
NUMBERS = ["0", "-1", "99999", "4294967296", "1.5", "abc", '"7"', "true", "null"]
TIMES = ["0s", "5", "1m", "-1s", "0.5s", "1.5"]


def slipped(text, draw):
    """Return a text with one slip or two of the kinds that people make."""
    lines = text.splitlines()
    for _ in range(draw.choice([1, 1, 1, 2])):
        at = draw.randrange(len(lines) - 1)
        line = lines[at]
        kinds = [
            lambda _: "",
            lambda line: re.sub(r"(\w)(\w)(\w*:)", r"\2\1\3", line, count=1),
            lambda line: re.sub(r": (\d+)$", lambda _: f": {draw.choice(NUMBERS)}", line),
            lambda line: re.sub(r": ([A-Za-z_]\w*)$", lambda found: f": {_word(found[1], draw)}", line),
            lambda line: re.sub(r"\d+s\b", lambda _: draw.choice(TIMES), line),
            lambda line: f"{line}\n{line}",
            lambda line: re.sub(r"^( *)", r"\1  ", line),
            lambda line: re.sub(r": .*$", ": ", line),
        ]
        lines[at] = draw.choice(kinds)(line)
    return "\n".join([*lines, ""])


def _word(word, draw):
    return draw.choice(["null", "12", "true", "[]", "{}", word.lower(), f"{word}X", f'"{word}"'])


def compare(seed, count, folder):
    draw = random.Random(seed)
    agreed = 0
    for number in range(count):
        text = slipped(draw.choice(EXAMPLES), draw)
        (config,) = envoy.read(["envoy.yaml"], DiskFiles(memory={"envoy.yaml": text}))
        here = folder / str(number)
        here.mkdir()
        accepted, _ = verdict("envoy", {"envoy.yaml": text}, here)
        refused = engine.broken(config)
        assert not (accepted and refused), f"{[(hit.code, hit.span.line, hit.args) for hit in config.hits]}\n{text}"
        agreed += refused and not accepted
    return agreed


def test_what_envoy_takes_is_no_error(tmp_path):
    assert compare(7, 60, tmp_path) > 20


@pytest.mark.soak
def test_what_envoy_takes_is_no_error_in_many_runs(tmp_path):
    assert compare(8, 1500, tmp_path) > 500
