from __future__ import annotations

from itertools import pairwise

import pytest
import samples
from drawn import diffs, outside, overlapping, runs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbcheck.report.pictures import diff_layout, layout
from lbcheck.report.pictures.faces import UNIT
from lbcheck.traffic.outcome import FAIR, HOT, STARVED, UNKNOWN

WIDTHS = (360.0, 700.0, 980.0, 1200.0)
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", samples.RUNS)
def test_no_text_covers_another_or_leaves_the_drawing(name, width):
    drawing = layout.draw(samples.RUNS[name](), width)
    assert overlapping(drawing) == []
    assert outside(drawing) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", samples.DIFFS)
def test_no_text_of_a_diff_covers_another_or_leaves_the_drawing(name, width):
    drawing = diff_layout.draw(samples.DIFFS[name](), width)
    assert overlapping(drawing) == []
    assert outside(drawing) == []


@many
@given(runs(), st.sampled_from(WIDTHS))
def test_no_text_of_any_run_covers_another(traffic, width):
    drawing = layout.draw(traffic, width)
    assert overlapping(drawing) == []
    assert outside(drawing) == []


@many
@given(diffs(), st.sampled_from(WIDTHS))
def test_no_text_of_any_diff_covers_another(changes, width):
    drawing = diff_layout.draw(changes, width)
    assert overlapping(drawing) == []
    assert outside(drawing) == []


def bands(drawing, *looks):
    return [band for band in drawing.bands if band.look in looks]


def test_bands_are_as_wide_as_the_shares():
    traffic = samples.of_size(12)
    drawing = layout.draw(traffic, 980)
    found = [band.width / UNIT for band in bands(drawing, HOT, STARVED, FAIR)]
    assert found == pytest.approx([server.share for server in traffic.pools[0].servers])
    flow = [band.width for band in bands(drawing, "flow")]
    assert flow == pytest.approx([UNIT, UNIT])


def test_bands_leave_the_pool_one_below_the_other_and_fill_it():
    drawing = layout.draw(samples.of_size(12), 980)
    found = bands(drawing, HOT, STARVED, FAIR)
    for one, other in pairwise(found):
        assert other.y0 == pytest.approx(one.y0 + one.width)
    assert sum(band.width for band in found) == pytest.approx(UNIT)


def test_routes_multiply_through():
    drawing = layout.draw(samples.mixed(), 980)
    widths = sorted(band.width / UNIT for band in bands(drawing, "flow") if ": " not in band.title.removeprefix("/: "))
    assert widths == pytest.approx([0.8 * 0.05, 0.8 * 0.95], abs=1e-9)


def test_a_route_whose_share_is_not_known_is_a_line_without_width():
    drawing = layout.draw(samples.outage(), 980)
    assert bands(drawing, "flow") == []
    assert len(drawing.links) == 2 * 2 * 3 + 1  # to and from each route, and the legend's
    assert [label.text for label in drawing.labels].count("?") == 6


@pytest.mark.parametrize("width", WIDTHS)
def test_an_unknown_pool_has_a_question_mark_and_a_reason_and_nothing_that_looks_like_shares(width):
    members = [f"10.0.0.{number}:80" for number in range(1, 6)]
    made = samples.unknown_pool("sessions", "its servers come from a template", members)
    drawing = layout.draw(samples.run([made]), width)
    assert drawing.bands == []
    assert {box.look for box in drawing.boxes} == {UNKNOWN}
    texts = [label.text for label in drawing.labels]
    assert texts.count("?") == 1
    assert "not known" in texts
    assert "template" in " ".join(texts)
    assert not any("%" in text or "fair" in text for text in texts)


def test_an_unknown_side_of_a_diff_is_not_drawn_as_shares():
    before = samples.unknown_pool("app", "a template decides", ["a", "b"])
    after = samples.pool("app", samples.weighted([1, 1]))
    changes = samples.Changes(
        samples.run([before]), samples.run([after]), [samples.change(before, after, reason="a template decides")], None
    )
    drawing = diff_layout.draw(changes, 1200)
    middle = 600
    assert [band for band in drawing.bands if band.x0 < middle] == []
    assert len([band for band in drawing.bands if band.x0 > middle]) == 2
    assert "points" not in " ".join(label.text for label in drawing.labels)


def test_a_server_has_the_same_height_on_both_sides_of_a_diff():
    drawing = diff_layout.draw(samples.mended(), 1200)
    places = {}
    for label in drawing.labels:
        if label.style == "name" and label.text.startswith(("shop1", "shop2", "shop3", "checkout1")):
            places.setdefault(label.text, []).append(label.y)
    assert len(places) == 4
    for heights in places.values():
        assert heights[0] == pytest.approx(heights[1], abs=8)  # where a mark stands below the name on one side only


def test_large_pools_are_bundled_and_their_outliers_kept_apart():
    drawing = layout.draw(samples.of_size(200), 980)
    texts = [label.text for label in drawing.labels]
    assert "app67" in texts
    assert "187 servers" in texts
    assert "12 servers" in texts
    assert [box.stripes for box in drawing.boxes if box.stripes > 1] == [12, 187]
    assert drawing.height < 500


def test_no_more_pools_are_drawn_than_people_look_at():
    made = [samples.pool(f"p{number}", samples.weighted([1, 1])) for number in range(500)]
    made[400] = samples.pool("the worst", samples.weighted([9, 1]))
    drawing = layout.draw(samples.run(made), 980)
    texts = [label.text for label in drawing.labels if label.style in {"pool", "small"}]
    assert texts[0] == "the worst"
    assert "476 more pools, 0 of them with something to see" in texts
    assert drawing.height < 4_000


def test_the_same_run_gives_the_same_drawing():
    one, other = layout.draw(samples.mixed(), 980), layout.draw(samples.mixed(), 980)
    assert [getattr(one, name) for name in one.__slots__] == [getattr(other, name) for name in other.__slots__]


def test_a_share_under_load_stands_beside_the_name_where_it_is_another_one():
    made = [each._replace(busy_share=busy) for each, busy in zip(samples.weighted([3, 1]), (0.5, 0.25), strict=True)]
    drawing = layout.draw(samples.run([samples.pool("app", made)]), 980)
    assert [label.text for label in drawing.labels if label.text.startswith("busy")] == ["busy 50 %"]
