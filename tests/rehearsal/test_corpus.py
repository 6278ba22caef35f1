"""Real configs by others in the sandbox: what the real proxy takes starts there, whatever it names of its server."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from pathlib import Path

import proxies
import pytest
from rehearsal.sandboxes import needs_sandbox

from lbcheck import project
from lbcheck.project import Request
from lbcheck.rehearsal.planning import staging
from lbcheck.rehearsal.planning.plan import plan
from lbcheck.rehearsal.planning.wishes import Wishes
from lbcheck.rehearsal.rehearse import rehearse

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
ORACLES = {"nginx": "oracle-nginx-1.22.1.tsv", "haproxy": "oracle-haproxy-2.6.12.tsv"}
#: The file that the oracle gave before those whose mode says so.
GLOBAL = str(CORPUS / "haproxy" / "HariSekhon__HAProxy-configs" / "10-global.cfg")

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of real configs is not beside the checkout"),
    proxies.needs_nginx,
    proxies.needs_haproxy,
    needs_sandbox,
]

#: Why a config does not start: what its error, or the first message of the proxy's own check, looks like.
CAUSES = {
    "refused without --trust-config": r"--trust-config",
    "a directive that this proxy does not have": r"unknown directive|unknown keyword|invalid parameter",
    "a file that is not there": r"No such file|unable to (?:load|stat)|cannot open|failed to open",
    "a name of a part that is elsewhere": r"unknown log format|unable to find|zero size shared memory zone",
    "an address that is taken": r"could not bind|cannot bind|failed to start their listeners",
}


def rows(dialect):
    with (CORPUS / "expected" / ORACLES[dialect]).open(newline="") as stream:
        table = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row for row in table if row["class"] == "ok"]


def with_pools(dialect, row):
    """Return the config of a row if it has a pool."""
    path = str(CORPUS / row["saved_path"])
    together = ((GLOBAL, path),) if row["mode"] == "with 10-global.cfg" else ()
    request = Request((GLOBAL, path) if together else (path,), dialect=dialect, together=together)
    found = project.configs(project.prepare(request))
    return next((config for config in found if config.dialect == dialect and config.pools), None)


def started(config):
    """Return whether the proxy took the config and listened, and why not; nothing is asked of it."""
    found = rehearse(config, Wishes(losses=False))
    said = [message.text for message in found.native if re.search(r"\[(?:ALERT|emerg)\]", message.text)]
    return found.accepted and found.error is None, found.error or next(iter(said), "it said nothing")


def cause(reason):
    return next((name for name, form in CAUSES.items() if re.search(form, reason)), f"else: {reason}")


def without_loads(config, requests, seconds, seed, made):
    plan(config, requests, seconds, seed, made)
    made.loads.clear()
    made.targets[:] = [target._replace(loads=()) for target in made.targets]


@pytest.mark.parametrize("dialect", ORACLES)
def test_what_the_proxy_accepts_starts(dialect, monkeypatch, capsys):
    """Eight in ten at least; the rest are printed by cause."""
    monkeypatch.setattr(staging, "plan", without_loads)
    tried = 0
    failed: dict[str, list[str]] = {}
    for row in rows(dialect):
        config = with_pools(dialect, row)
        if config is None:
            continue
        tried += 1
        listened, reason = started(config)
        if not listened:
            failed.setdefault(cause(reason), []).append(f"{row['saved_path']}: {reason}")
    counts = Counter({name: len(paths) for name, paths in failed.items()})
    lines = [f"\n{dialect}: {tried - counts.total()} of {tried} start"]
    for name, count in counts.most_common():
        lines += [f"  {count:3} {name}", *(f"      {path}" for path in failed[name])]
    with capsys.disabled():
        sys.stdout.write("\n".join(lines) + "\n")
    assert tried > 250
    assert tried - counts.total() >= 0.8 * tried
