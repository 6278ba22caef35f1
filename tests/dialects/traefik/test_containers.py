"""Which containers of a Compose project Traefik has, and what it makes of them."""

from __future__ import annotations

import json

import pytest
import yaml
from cli.running import lbcheck
from dialects.traefik.asked import PROXY, compared, service, told

THREE = PROXY + service("app", "scale: 3")


@pytest.mark.parametrize("nobody", ["scale: 0", "deploy: {replicas: 0}"])
def test_of_a_service_scaled_to_0_there_is_no_container_and_none_of_its_labels(tmp_path, nobody):
    text = PROXY + service("app", nobody)
    said = told(tmp_path, "traffic", text)
    assert said[1:] == [
        "✕ web app (scaled to 0: 404) (?) → no pool takes them",
        "No pool takes the requests of 1 route; 0 pools in 1 config",
    ]
    assert told(tmp_path, "check", text) == ["Nothing wrong found in 1 config (0 servers)"]
    said = told(tmp_path, "diff", THREE, text)
    assert "rerouted: x.example.com:80/ goes to no pool, before to pool app" in said
    assert said[-1].endswith("1 pool removed")


def test_the_containers_of_others_keep_what_one_scaled_to_0_has_beside_them(tmp_path):
    found = compared(tmp_path, THREE + service("old", "scale: 1"), THREE + service("old", "scale: 0"))
    (pool,) = found["pools"]
    assert found["moved"] == pytest.approx(0.25)
    assert [(one["address"], one["after"]) for one in pool["servers"]] == [("app:8080", 1.0), ("old:8080", None)]


def test_another_router_takes_what_that_of_a_service_scaled_to_0_would(tmp_path):
    rest = service("rest", router="rest").replace("Host(`x.example.com`)", "PathPrefix(`/`)")
    said = told(tmp_path, "diff", THREE + rest, PROXY + service("app", "scale: 0") + rest)
    assert "rerouted: x.example.com:80/ goes to pool rest, before to pool app" in said
    first = rest.replace("    labels:\n", "    labels:\n      - traefik.http.routers.rest.priority=99\n", 1)
    assert not any("R01" in line for line in told(tmp_path, "check", PROXY + service("app", "scale: 0") + first))
    said = told(tmp_path, "traffic", PROXY + service("app", "scale: 0") + first)
    assert not any("No pool takes" in line for line in said)


def test_how_many_containers_a_variable_says_is_not_known(tmp_path):
    said = told(tmp_path, "traffic", PROXY + service("app", 'scale: "${SCALE:-2}"'))
    assert any("shares not known: how many containers of app:8080 run is not known" in line for line in said)


def test_a_container_that_extends_another_one_has_its_labels_too(tmp_path):
    more = "  app3:\n    extends: {service: app}\n    scale: 1\n"
    found = compared(tmp_path, THREE, THREE + more)
    assert found["moved"] == pytest.approx(0.25)
    assert [(one["address"], one["after"]) for one in found["pools"][0]["servers"]] == [
        ("app:8080", 0.75),
        ("app3:8080", 0.25),
    ]
    own = more + '    labels:\n      traefik.http.services.app.loadbalancer.server.port: "9090"\n'
    found = compared(tmp_path, THREE, THREE + own)
    assert [one["address"] for one in found["pools"][0]["servers"]] == ["app:8080", "app3:9090"]
    assert "1 pool in 1 config" in told(tmp_path, "traffic", THREE + own)[-1]


def test_what_is_extended_in_another_file_is_not_checked(tmp_path):
    text = PROXY + "  app:\n    extends: {file: base.yml, service: web}\n    image: b\n"
    said = told(tmp_path, "traffic", text + service("shop", router="shop"))
    assert any(line.endswith("what app takes over from web of base.yml") for line in said)


def constrained(expression, *more):
    labels = "".join(f"      - {label}\n" for label in more)
    argument = f'"--providers.docker.constraints={expression}"'
    proxy = PROXY.replace("providers.docker=true", f"providers.docker=true, {argument}")
    return proxy + service("app") + labels


@pytest.mark.parametrize(
    ("expression", "labels", "taken"),
    [
        ("Label(`tier`,`x`)", [], False),
        ("Label(`tier`,`x`)", ["tier=x"], True),
        ("!Label(`tier`,`x`)", ["tier=x"], False),
        ("Label(`tier`,`x`) || LabelRegex(`zone`,`^a`)", ["zone=ab"], True),
        ("Label(`tier`,`x`) && LabelRegex(`zone`,`^a`)", ["zone=ab"], False),
        ("Label(`com.docker.compose.service`,`app`)", [], True),
    ],
)
def test_constraints_of_the_provider(tmp_path, expression, labels, taken):
    said = told(tmp_path, "traffic", constrained(expression, *labels))
    assert said[-1] == ("Every server gets its fair share; 1 pool in 1 config" if taken else "0 pools in 1 config")
    assert not any(line.startswith("not checked") for line in said)


@pytest.mark.parametrize(
    "expression", ["Label(`com.docker.compose.project`,`shop`)", r"LabelRegex(`tier`,`^\\d`)", "Label(`tier`"]
)
def test_a_constraint_that_nobody_can_decide_is_not_checked(tmp_path, expression):
    said = told(tmp_path, "traffic", constrained(expression))
    assert any("whether the provider's constraints take app" in line for line in said)


def test_a_pool_some_of_whose_containers_are_of_a_profile(tmp_path):
    mixed = THREE + service("debug", "profiles: [debug]")
    said = told(tmp_path, "traffic", mixed)
    assert any("shares not known: which of its containers run depends on profiles (debug)" in line for line in said)
    assert compared(tmp_path, THREE, mixed)["moved_unknown"] is True
    alike = PROXY + service("a", "profiles: [debug]") + service("b", "profiles: [debug]")
    assert told(tmp_path, "traffic", alike)[-1].startswith("Every server gets its fair share")
    assert "E00" not in " ".join(told(tmp_path, "check", mixed))
    assert not any("label is wrong" in line for line in told(tmp_path, "check", mixed))


def test_a_port_that_only_the_image_knows(tmp_path):
    unknown = PROXY + service("app", "scale: 3", port="")
    said = told(tmp_path, "traffic", unknown)
    assert any(line.startswith("app    app:? × 3") and line.endswith("33.3 % each") for line in said)
    assert any(line.endswith("which port app has: its image says so") for line in said)
    found = compared(tmp_path, THREE, unknown)
    assert (found["moved"], found["moved_unknown"]) == (None, True)
    assert any("the address of app:? is not known" in line for line in told(tmp_path, "diff", THREE, unknown))
    assert compared(tmp_path, unknown, unknown + "# the same\n")["moved"] == 0.0
    fewer = PROXY + service("app", "scale: 1", port="")
    assert compared(tmp_path, unknown, fewer)["pools"][0]["moved"] == pytest.approx(2 / 3)


def test_a_project_in_json(tmp_path):
    text = json.dumps(yaml.safe_load(THREE), indent=2)
    assert told(tmp_path, "traffic", text, name="compose.json") == told(tmp_path, "traffic", THREE, name="compose.json")
    assert "1 config" in lbcheck(tmp_path, "traffic", ".").stdout


def defaulted(template="", name="", labels="traefik.enable=true"):
    """Return a project whose app has no rule, with the provider's defaultRule and the project's name."""
    proxy = PROXY.replace("providers.docker=true", f"providers.docker=true, '{template}'") if template else PROXY
    app = f"  app:\n    image: b\n    scale: 2\n    expose: [8080]\n    labels: [{labels}]\n"
    return (f"name: {name}\n" if name else "") + proxy + app


RULE = "--providers.docker.defaultRule="


@pytest.mark.parametrize(
    ("template", "name", "host"),
    [
        ("", "my_shop", "app-my-shop"),
        (RULE + "Host(`{{ normalize .Name }}.example.com`)", "shop", "app-shop.example.com"),
        (RULE + "Host(`{{.Name}}.example.com`)", "shop", "app-shop.example.com"),
        (RULE + 'Host(`{{ index .Labels "com.docker.compose.service" }}.example.com`)', "", "app.example.com"),
        (RULE + 'Host(`{{ normalize (index .Labels "site") }}.test`)', "", "a-b.test"),
        (RULE + "Host(`all.example.com`)", "", "all.example.com"),
    ],
)
def test_the_default_rule_of_the_provider(tmp_path, template, name, host):
    text = defaulted(template, name, "traefik.enable=true, site=a.b")
    said = told(tmp_path, "diff", PROXY, text)
    assert f"rerouted: {host}:80/ goes to pool app, before to no pool" in said or any(
        line.startswith("rerouted: new: ") and line.endswith(f"host exact {host}: pool app") for line in said
    ), said
    said = told(tmp_path, "traffic", text)
    assert not any("no route to it" in line or line.startswith("not checked") for line in said)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("", ""),
        ("", "${NAME}"),
        (RULE + "Host(`{{ normalize .Name }}.example.com`)", ""),
        (RULE + "Host(`{{ .ContainerName }}.example.com`)", "shop"),
        (RULE + 'Host(`{{ index .Labels "missing" }}.example.com`)', "shop"),
    ],
)
def test_a_default_rule_that_nobody_can_fill_in_here_is_not_checked(tmp_path, template, name):
    for labels in ("traefik.enable=true", "traefik.http.routers.app.priority=5"):
        said = told(tmp_path, "traffic", defaulted(template, name, labels))
        assert any(line.endswith("which requests app gets: Traefik makes its default rule") for line in said)
        assert not any("no route to it" in line for line in said)


def test_a_rule_of_a_variable_is_a_route(tmp_path):
    known = PROXY + service("app")
    said = told(tmp_path, "diff", known, known.replace("x.example.com", "${SITE}"))
    assert any(line.startswith("rerouted: new: ") and "${SITE}" in line for line in said)
    said = told(tmp_path, "traffic", known.replace("x.example.com", "${SITE}"))
    assert not any("no route to it" in line for line in said)


def test_a_container_on_each_machine_is_no_number_of_them(tmp_path):
    said = told(tmp_path, "diff", THREE, PROXY + service("app", "deploy: {mode: global}"))
    assert any("how many containers of app:8080 run is not known" in line for line in said)
    assert not any(line.startswith("66.7 %") for line in said)


def test_a_router_without_a_service_is_told_to_take_that_of_its_own_name(tmp_path):
    lines = [f"  - traefik.http.routers.{name}.rule=Host(`{name}.test`)" for name in ("app", "adm", "other")]
    lines += ["  - traefik.http.services.adm.loadbalancer.server.port=9090"]
    said = told(tmp_path, "check", PROXY + service("app", "\n".join(lines)))
    advice = [line.partition("add a label ")[2] for line in said if "add a label" in line]
    assert advice == [
        "traefik.http.routers.app.service=app",
        "traefik.http.routers.adm.service=adm",
        "traefik.http.routers.other.service=app",
    ]
