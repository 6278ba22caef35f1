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


def nested(levels):
    """Return services of which each names the next one twice, down to one that sends a quarter to a, the rest to b."""
    twice = [f"{{name: w{at}, weight: 1}}, {{name: w{at}, weight: 2}}" for at in range(1, levels + 1)]
    held = [*twice, "{name: a, weight: 1}, {name: b, weight: 3}"]
    return "".join(f"    w{at or ''}: {{weighted: {{services: [{one}]}}}}\n" for at, one in enumerate(held))


@pytest.mark.parametrize("levels", [2, 22, 99])
def test_services_that_name_the_next_one_twice(tmp_path, levels):
    said = told(tmp_path, "traffic", dynamic(services=nested(levels)), name="dynamic.yml")
    assert any("r (?) → " in line and "a 25 %" in line and "b 75 %" in line for line in said), said
    assert not any(line.startswith("not checked") for line in said)


def test_services_nested_too_deep_are_not_checked(tmp_path):
    for command in ("check", "traffic"):
        said = told(tmp_path, command, dynamic(services=nested(101)), name="dynamic.yml")
        assert any(
            line.endswith("where w101 leads: services in services are followed 100 levels deep") for line in said
        )
    assert any("r (?) → not known" in line for line in said)
