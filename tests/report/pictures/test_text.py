"""What `lbcheck traffic` and `lbcheck diff` print at a terminal."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import samples
from drawn import diffs, runs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from lbcheck.report import diff_reporter, traffic_reporter
from lbcheck.report.options import Options
from lbcheck.results import Note

ROOT = Path(__file__).resolve().parents[3]
#: Anything that is not shown as itself, but the line end; and colours, the only escape sequences that may be.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
COLOR = re.compile(r"\x1b\[[\d;]*m")
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def traffic_text(traffic, **options):
    return traffic_reporter("text")(traffic, Options(**options))


def diff_text(changes, **options):
    return diff_reporter("text")(changes, Options(**options))


OUTAGE = """\
fixtures/outage/before/haproxy.cfg
  shop     shop1              █████████████████████████████████▍           83.3 % ▲ 2.5 × fair
           shop2, shop3       ███▍         ┊                           8.3 % each ▼ 0.25 × fair
    without shop1: 83.3 % of requests fail for up to 6 s, then shop2, shop3 get 50 % each (now 8.3 …
  checkout checkout1          ███████████████████████████████████████▋       99 % ▲ 2 × fair
           checkout2          ▍                   ┊                           1 % ▼ 0.02 × fair
    without checkout1: 99 % of requests fail for up to 6 s, then checkout2 gets 100 % (now 1 %)
  catalog  catalog1, catalog2 ████████████████████                      50 % each
    without catalog2: 50 % of requests fail for as long as it is down
  shop_v2  shop1, shop2       ████████████████████                      50 % each no route to it
"""
MENDED = """\
fixtures/outage/before/haproxy.cfg → fixtures/outage/after/haproxy.cfg
  shop  50 % moved
    shop1        ███████████████▉         83.3 % → ██████▍                  33.3 % −50 points
    shop2, shop3 █▋    ┊              8.3 % each → ██████▍             33.3 % each +25 points each
  checkout  49 % moved
    checkout1    ██████████████████▊        99 % → █████████▌                 50 % −49 points
    checkout2    ▎         ┊                 1 % → █████████▌                 50 % +49 points
  shop_v2  pool removed
    shop1, shop2 █████████▌            50 % each →                               – removed
  unchanged: catalog

new: P07 pool-unused haproxy.cfg:20: pool shop_v2 is never used: no route leads to it
fixed: D01 weight-skew haproxy.cfg:20: server shop1 of pool shop gets 83.3 % of its traffic
fixed: H03 hc-partial haproxy.cfg:20: server catalog2 of pool catalog is not checked
"""


def test_the_outage_is_told_on_one_screen():
    text = traffic_text(samples.outage(), width=100)
    assert text.startswith(OUTAGE)
    assert text.endswith("\n4 servers get too much, 6 servers starve; 8 pools in 2 configs\n")
    assert text.count("\n") <= 25


def test_its_end_is_told_on_one_screen():
    text = diff_text(samples.mended(), width=100)
    assert text.startswith(MENDED)
    assert text.endswith("; 2 pools changed, 1 pool removed, 1 pool unchanged; 1 new finding, 2 fixed\n")


def test_unknown_pools_say_why_and_have_no_bar():
    text = traffic_text(samples.mixed(), width=120)
    line = next(line for line in text.split("\n") if "sessions" in line)
    assert "? shares not known: its servers come from a template loop: {% for host in hosts %} (3 servers)" in line
    assert "█" not in line
    assert "10.0.9.1" not in text


def test_an_unknown_side_of_a_diff_has_no_bar():
    line = next(line for line in diff_text(samples.puzzling()).split("\n") if "sessions" in line)
    assert "? how much moved is not known: its servers come from a state file" in line


def test_splits_overload_and_dead_pools_are_told():
    text = traffic_text(samples.mixed(), width=120)
    assert "api-a.internal:9000" in text
    assert "‼ 180, can take 100" in text
    assert "180 of 400" in text
    assert "✕ unserved" in text
    assert "simulated ± 0.31 %" in text
    assert "shop.example.com / (80 %) → api 95 %, api_canary 5 %" in text


@pytest.mark.parametrize("count", [1, 500])
def test_large_runs_fit_on_a_screen(count):
    made = [samples.pool(f"p{number}", samples.weighted([1] * 200)) for number in range(count)]
    text = traffic_text(samples.run(made))
    assert text.count("\n") < 20
    assert ("492 more pools; p105, p106" in text) == (count == 500)


def test_losses_are_asked_for_only_where_they_are_shown():
    def asked():
        raise AssertionError("nobody sees these")

    made = [samples.pool(f"p{number:03}", samples.weighted([1, 1])) for number in range(50)]
    for each in made[30:]:
        each._compute = asked
    assert "42 more pools" in traffic_text(samples.run(made))


def test_busy_shares_stand_beside_the_others():
    made = [each._replace(busy_share=0.5) for each in samples.weighted([3, 1])]
    assert traffic_text(samples.run([samples.pool("app", made)], in_flight=200)).count("busy 50 %") == 2


def test_colours_only_where_they_are_allowed():
    for text in (traffic_text(samples.mixed()), diff_text(samples.puzzling())):
        assert "\x1b" not in text
    for plain, painted in (
        (traffic_text(samples.mixed()), traffic_text(samples.mixed(), color=True)),
        (diff_text(samples.puzzling()), diff_text(samples.puzzling(), color=True)),
    ):
        assert COLOR.sub("", painted) == plain
        assert "\x1b[1;31m" in painted


@many
@given(runs(), st.integers(40, 160))
def test_no_run_steers_the_terminal_or_leaves_its_width(traffic, width):
    text = traffic_text(traffic, width=width, color=True)
    assert not CONTROL.search(COLOR.sub("", text))
    *lines, _summary, _end = COLOR.sub("", text).split("\n")
    assert max(map(cell_len, lines), default=0) <= max(width, 75)


@many
@given(diffs(), st.integers(40, 160))
def test_no_diff_steers_the_terminal_or_leaves_its_width(changes, width):
    text = diff_text(changes, width=width, color=True)
    assert not CONTROL.search(COLOR.sub("", text))
    *lines, _summary, _end = COLOR.sub("", text).split("\n")
    assert max(map(cell_len, lines), default=0) <= max(width, 60)


def test_hostile_names_stay_names():
    for text in (traffic_text(samples.hostile()), diff_text(samples.hostile_diff())):
        assert not CONTROL.search(text)
        assert not re.search(r"^\s*::(?!: )|##(?:vso|teamcity)?\[", text, re.MULTILINE)


def test_check_imports_neither_rich_nor_jinja2():
    command = [sys.executable, "-X", "importtime", "-m", "lbcheck", "check", "fixtures/outage"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "lbcheck.report.excerpt" in done.stderr
    for name in ("rich", "jinja2", "lbcheck.report.pictures"):
        assert f" {name}\n" not in done.stderr


def test_nobody_asks_what_a_pool_without_routes_would_lose():
    asked = samples.loss("a1", [("a1", 0.0), ("a2", 1.0)], failed=0.5)
    made = [samples.pool(name, samples.weighted([1, 1], name), losses=[asked]) for name in ("used", "unused")]
    text = traffic_text(samples.run(made, [samples.frontend("web", samples.route("", ("used", 0, 1.0), share=1.0))]))
    assert text.count("without a1") == 1
    assert "no route to it" in text


@pytest.mark.parametrize(
    ("routes", "idle", "line"),
    [
        ([("/", 1.0, ("a", 0, 1.0), ("b", 1, 0.0))], ["b"], "web / (100 %) → a 100 %, b 0 %"),
        ([("/", 0.0, ("a", 0, 1.0)), ("/", 1.0, ("b", 1, 1.0))], ["a"], "web / (0 %) → a"),
        ([("/", 0.0, ("a", 0, 0.5), ("b", 1, 0.5))], ["a", "b"], "web / (0 %) → a 50 %, b 50 %"),
        ([("/", None, ("a", 0, 0.0), ("b", 1, 1.0))], ["a"], "web / (?) → a 0 %, b 100 %"),
        ([("/", 0.0, ("a", 0, 1.0)), ("/x", None, ("a", 0, 1.0), ("b", 1, None))], [], "web / (0 %) → a"),
    ],
)
@pytest.mark.parametrize("way", ["text", "html", "markdown", "mermaid", "svg"])
def test_pools_that_surely_get_nothing(routes, idle, line, way):
    """Their servers' even shares of nothing are no fair shares, and nobody asks what losing one would do."""
    asked = samples.loss("a1", [("a1", 0.0), ("a2", 1.0)], failed=0.5)
    made = [samples.pool(name, samples.weighted([1, 1], name), losses=[asked]) for name in "ab"]
    lanes = [samples.route(match, *targets, share=share) for match, share, *targets in routes]
    run = samples.run(made, [samples.frontend("web", *lanes)])
    told = traffic_reporter(way)(run, Options())
    places = 3 if way == "html" else 1  # its drawing has a title, and a table beside it
    assert told.count("no request gets here") == places * len(idle)
    if way == "text":
        assert line in told
        assert told.count("without a1") == 2 - len(idle)
        words = f"{len(idle)} {'pool gets' if len(idle) == 1 else 'pools get'} no requests; 2 pools in 1 config"
        unsure = "Where the requests of 1 route go is not known; 2 pools in 1 config"
        assert told.splitlines()[-1] == (words if idle else unsure)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1, 1, 1], "Every server gets its fair share; 1 pool in 1 config"),
        ([3, 1], "Servers get 0.5–1.5 × a fair share; 1 pool in 1 config"),
        ([4, 1], "Servers get 0.4–1.6 × a fair share; 1 pool in 1 config"),
    ],
)
def test_only_even_shares_are_called_fair(weights, says):
    pool = samples.pool("app", [each._replace(standing="fair") for each in samples.weighted(weights)])
    *_, tick, summary, _end = traffic_text(samples.run([pool])).split("\n")
    assert summary == says
    assert (tick == "┊ is where a fair share ends") == (len(set(weights)) > 1)


def named_losses(count):
    """Ten even pools; of the last one, to which no route leads, somebody named so many servers."""
    members = samples.weighted([1] * 12)
    asked = [samples.loss(f"s{number}", [], failed=1 / 12) for number in range(1, count + 1)]
    made = [samples.pool(f"p{number}", members, losses=asked if number == 9 else ()) for number in range(10)]
    web = samples.frontend("web", *(samples.route("", (f"p{number}", number, 1.0)) for number in range(9)))
    return samples.run(made, [web], chosen=True)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_every_loss_that_somebody_named_is_told_first(form):
    told = traffic_reporter(form)(named_losses(2), Options()).replace("`", "")
    assert "without s1: 8.3 % of requests fail" in told
    assert "without s2: 8.3 % of requests fail" in told
    assert told.index("p9") < told.index("p0")


def test_named_losses_that_find_no_room_are_counted():
    assert "    … and 2 more that hurt less\n" in traffic_text(named_losses(10))


def test_a_named_loss_is_told_of_a_pool_that_is_not_known():
    pool = samples.unknown_pool("open", "a template loop", ["s1"], losses=[samples.loss("s1", [], failed=None)])
    assert "without s1: how many requests fail is not known" in traffic_text(samples.run([pool], chosen=True))
    assert "without s1" not in traffic_text(samples.run([pool]))


def test_a_diff_says_what_was_not_checked():
    changes = samples.mended()
    notes = [Note(samples.finding().place, "the keyword bogus is not known")]
    changes.before.not_checked, changes.after.not_checked = notes, notes * 7
    text = diff_text(changes)
    assert "\nnot checked before: 1 place\nnot checked after: 7 places\n  haproxy.cfg:20: the keyword bogus is" in text
    assert "\n  … and 2 more; --output-format json lists all\n" in text


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_requests_that_find_all_servers_full_are_told(form):
    members = [each._replace(busy_share=0.1) for each in samples.weighted([1, 1])]
    told = traffic_reporter(form)(
        samples.run([samples.pool("app", members, busy_unserved=0.8)], in_flight=10), Options()
    )
    assert "busy, 80 % of requests find no server" in told.replace("`", "")
    assert "1 pool leaves requests unserved" in told
