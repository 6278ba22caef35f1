"""What `traffic` says of routes that serve nobody, or of which nobody knows whom: never that all is fair."""

from __future__ import annotations

import pytest
from dialects.traefik.asked import dynamic, told

EVERYTHING = "rule: HostRegexp(`.*`), entryPoints: [web], service: a, priority: 999"


def split(a, b, kind="weighted"):
    return f"    w: {{{kind}: {{services: [{{name: a, weight: {a}}}, {{name: b, weight: {b}}}]}}}}\n"


@pytest.mark.parametrize(
    ("text", "line", "summary"),
    [
        (
            dynamic(services=split(0, 0)),
            "✕ web r (?) → a 0 %, b 0 %, no pool takes them 100 %",
            "No pool takes the requests of 1 route; 2 pools",
        ),
        (dynamic(services=split(1, 0)), "web r (?) → a 100 %, b 0 %", "1 pool gets no requests; 2 pools"),
        (
            dynamic(services=split(3, 1, "highestRandomWeight")),
            "web r (?) → a 100 %, b 0 %",
            "1 pool gets no requests; 2 pools",
        ),
        (
            dynamic(services="    other: {weighted: {services: [{name: a}]}}\n"),
            "web r (?) → not known: where w sends requests is known only at run time",
            "Where the requests of 1 route go is not known; 2 pools",
        ),
        (
            dynamic().replace("  services:", f"    q: {{{EVERYTHING}}}\n  services:", 1),
            "web r (0 %) → a 50 %, b 50 %",
            "1 pool gets no requests; 2 pools",
        ),
        (dynamic(), "web r (?) → a 50 %, b 50 %", "Every server gets its fair share; 2 pools"),
    ],
    ids=["no weight", "one weight", "one name", "elsewhere", "left nothing", "fair"],
)
def test_every_route_that_is_not_plain_has_a_line(tmp_path, text, line, summary):
    said = told(tmp_path, "traffic", text, name="dynamic.yaml")
    assert line in said
    assert said[-1] == f"{summary} in 1 config"
