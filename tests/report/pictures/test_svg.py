from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
import samples
from drawn import diffs, runs
from hypothesis import HealthCheck, given, settings

from lbcheck.report import diff_reporter, traffic_reporter
from lbcheck.report.options import Options
from lbcheck.report.pictures import layout, svg
from lbcheck.report.pictures.style import DARK, LIGHT

NAMESPACE = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "style", "defs", "pattern", "rect", "path", "text"}
ATTRIBUTES = {
    "class",
    "viewBox",
    "width",
    "height",
    "role",
    "aria-labelledby",
    "id",
    "d",
    "x",
    "y",
    "rx",
    "fill",
    "patternUnits",
    "patternTransform",
}
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def checked(text):
    """The picture as a tree, with nothing in it but shapes and text."""
    root = ET.fromstring(text)
    for element in root.iter():
        assert element.tag.removeprefix(NAMESPACE) in ALLOWED
        assert set(element.attrib) <= ATTRIBUTES
        assert re.fullmatch(r"url\(#lb-(unknown|nobody)\)|", element.get("fill", ""))
    assert len(root.findall(f"{NAMESPACE}style")) == 1
    return root


@many
@given(runs())
def test_a_picture_of_any_run_is_nothing_but_shapes_and_text(traffic):
    checked(traffic_reporter("svg")(traffic, Options()))


@many
@given(diffs())
def test_a_picture_of_any_diff_is_nothing_but_shapes_and_text(changes):
    checked(diff_reporter("svg")(changes, Options()))


def test_hostile_names_are_text():
    text = traffic_reporter("svg")(samples.hostile(), Options(color=True))
    root = checked(text)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    words = "".join(root.itertext())
    assert "<script>alert(1)</script>" in words
    checked(diff_reporter("svg")(samples.hostile_diff(), Options()))


def test_coordinates_are_those_of_the_layout():
    drawing = layout.draw(samples.of_size(12), 980)
    root = ET.fromstring(svg.document(drawing))
    heights = []
    for path in root.findall(f"{NAMESPACE}path"):
        if "band" in path.get("class"):
            numbers = [float(number) for number in re.findall(r"[-\d.]+", path.get("d"))]
            heights.append(numbers[8] - numbers[7])  # "M x0 y0 C c y0 c y1 x1 y1 V low1 …"
    assert heights == pytest.approx([band.width for band in drawing.bands], abs=0.011)


def test_a_drawing_says_in_words_what_it_shows():
    root = ET.fromstring(traffic_reporter("svg")(samples.outage(), Options()))
    assert root.get("role") == "img"
    title = root.find(f"{NAMESPACE}title")
    assert root.get("aria-labelledby") == title.get("id")
    assert title.text == "Where the traffic goes: 4 servers get too much, 6 servers starve; 8 pools"


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(palette):
    """WCAG 2.1, 1.4.3: a contrast of 4.5 for text."""
    for name in ("text", "muted", "hot", "starved", "overloaded"):
        one, other = sorted((luminance(palette[name]), luminance(palette["ground"])))
        assert (other + 0.05) / (one + 0.05) >= 4.5, name


def test_the_same_run_gives_the_same_file_in_every_process():
    script = (
        "import samples; from lbcheck.report import traffic_reporter, diff_reporter; "
        "from lbcheck.report.options import Options; "
        "print(traffic_reporter('svg')(samples.mixed(), Options())); "
        "print(diff_reporter('svg')(samples.puzzling(), Options()))"
    )
    path = [*sys.path, samples.__file__.rpartition("/")[0]]
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
