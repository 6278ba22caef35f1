from __future__ import annotations

import re

import pytest
import samples
from drawn import diffs, names, runs
from hypothesis import HealthCheck, given, settings

from lbcheck.report import diff_reporter, traffic_reporter
from lbcheck.report.options import Options
from lbcheck.report.pictures.mermaid import MAX_EDGES, MAX_TEXT, label

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LABEL = r'"(?:[^\W_]|[ .,\-_/+%×→▲▼‼✕±−–…?]|#\d+;|<br/>)*"'
NODE = rf"  [a-z]\w*(?:\[{LABEL}\]|\(\[{LABEL}\]\))(?::::\w+)?"
EDGE = rf"  [a-z]\w* (?:-->|-\.->)(?:\|{LABEL}\|)? [a-z]\w*"
STYLE = r"  linkStyle \d+ stroke-width:[\d.]+px"
CLASS = r"  classDef [a-z]+ [a-z#\d:,\- ]+"
LINE = re.compile(rf"{NODE}|{EDGE}|{STYLE}|{CLASS}")


def checked(text):
    """The lines of a flowchart, each of which is one of ours."""
    head, *lines, end = text.split("\n")
    assert (head, end) == ("flowchart LR", "")
    for line in lines:
        assert LINE.fullmatch(line), line
    assert len(text) <= MAX_TEXT
    edges = [line for line in lines if re.fullmatch(EDGE, line)]
    assert len(edges) <= MAX_EDGES
    defined = {line.split("[")[0].split("(")[0].strip() for line in lines if re.fullmatch(NODE, line)}
    assert {end for edge in edges for end in (edge.split()[0], edge.split()[-1])} <= defined
    return lines


@many
@given(runs())
def test_a_flowchart_of_any_run_has_only_our_lines(traffic):
    checked(traffic_reporter("mermaid")(traffic, Options()))


@many
@given(diffs())
def test_a_flowchart_of_any_diff_has_only_our_lines(changes):
    checked(diff_reporter("mermaid")(changes, Options()))


@given(names)
def test_a_label_is_one_string(name):
    assert re.fullmatch(LABEL, label(name))


def test_what_mermaid_could_take_for_syntax_is_a_code():
    assert label('a"b<script>#;`|]:::x %%{') == ('"a#34;b#60;script#62;#35;#59;#96;#124;#93;#58;#58;#58;x %%#123;"')


def test_edges_are_as_wide_as_the_shares():
    lines = checked(traffic_reporter("mermaid")(samples.of_size(2, [3, 1]), Options()))
    assert "  linkStyle 0 stroke-width:12.0px" in lines
    assert "  linkStyle 1 stroke-width:4.0px" in lines
    assert '  p0s0["app1<br/>75 %<br/>▲ 1.5 × fair"]:::hot' in lines


def test_unknown_pools_have_no_servers():
    made = samples.unknown_pool("sessions", "a template decides", ["a", "b"])
    lines = checked(traffic_reporter("mermaid")(samples.run([made]), Options()))
    assert lines[0] == '  p0["? sessions<br/>not known, a template decides"]:::unknown'
    assert "-->" not in "".join(lines)


def test_a_route_whose_share_is_not_known_is_dotted():
    lines = checked(traffic_reporter("mermaid")(samples.outage(), Options()))
    assert '  f0x0 -.->|"/checkout/ ?"| p1' in lines


@pytest.mark.parametrize("count", [5, 3_000])
def test_mermaid_draws_it_whatever_its_size(count):
    name = "<" * 5_000
    members = samples.weighted([100, 1, *([7] * 200)], name)
    made = [samples.pool(f"{name}{number}", members) for number in range(count)]
    doors = [
        samples.frontend(
            f"{name}{door}",
            *[samples.route(f"{name}{at}", (name, at, 0.5), (name, at + 1, 0.5)) for at in range(min(count - 1, 40))],
        )
        for door in range(30)
    ]
    lines = checked(traffic_reporter("mermaid")(samples.run(made, doors), Options()))
    assert any("more pools" in line for line in lines) == (count > 5)
    checked(
        diff_reporter("mermaid")(
            samples.Changes(samples.run(made), samples.run([]), [samples.change(each, None) for each in made], None),
            Options(),
        )
    )
