"""Files that `docker compose up` merges into a project's own one, as `check`, `traffic` and `diff` see a folder."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck
from dialects.traefik.asked import PROXY, service

THREE = PROXY + service("app", "scale: 3")
OTHER = """\
services:
  app:
    labels: [traefik.http.routers.app.rule=Host(`other.example.com`)]
    scale: 5
"""


def written(folder, name, **files):
    """Write files, `compose_override_yml` for compose.override.yml, into a folder of this name."""
    (folder / name).mkdir(exist_ok=True)
    for path, text in files.items():
        (folder / name / path.replace("docker_", "docker-").replace("_", ".")).write_text(text)


def told(folder, command, *names):
    done = lbcheck(folder, command, *names, env={"COLUMNS": "200"})
    assert done.stderr == "", done.stderr
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


@pytest.mark.parametrize("own", ["compose_yaml", "compose_yml", "docker_compose_yml", "docker_compose_yaml"])
@pytest.mark.parametrize("other", ["compose_override_yml", "docker_compose_override_yaml"])
def test_a_folder_is_what_docker_compose_up_makes_of_it(tmp_path, own, other):
    written(tmp_path, "old", **{own: THREE})
    written(tmp_path, "new", **{own: THREE, other: OTHER})
    said = told(tmp_path, "diff", "old", "new")
    assert "app  40 % moved" in said
    assert "rerouted: x.example.com:80/ goes to no pool, before to pool app" in said
    assert "rerouted: other.example.com:80/ goes to pool app, before to no pool" in said
    said = told(tmp_path, "traffic", "new")
    assert said[0].endswith(own.replace("docker_", "docker-").replace("_", "."))
    assert said[-1] == "Every server gets its fair share; 1 pool in 1 config"
    assert not any(line.startswith("not checked") for line in said)


def servers(folder):
    """Return (address, how many containers) of the only pool's servers."""
    (pool,) = json.loads(lbcheck(folder, "traffic", "--output-format", "json", ".").stdout)["pools"]
    return [(server["address"], server["alike"]) for server in pool["servers"]]


def findings(folder, path, word):
    """Return the place and message of those findings whose message holds a word."""
    found = json.loads(lbcheck(folder, "check", "--output-format", "json", path).stdout)["findings"]
    return [(one["path"], one["line"], one["message"]) for one in found if word in one["message"]]


LABELLED = """\
services:
  app:
    labels:
      traefik.http.routers.app.rule: Host(`x.example.com`)
      traefik.http.services.app.loadbalancer.server.port: 8080
"""


@pytest.mark.parametrize(
    ("own", "other"),
    [
        (PROXY + "  app: {image: b, scale: 4}\n", LABELLED),
        ("services:\n  app: {image: b, scale: 4}\n", PROXY + LABELLED.removeprefix("services:\n")),
        (THREE, "services:\n  app: {scale: 4}\n"),
        (THREE, "services: {app: {scale: 4}}\n"),
        (THREE, "services:\n  app: !override {image: b, scale: 4, labels: [%s, %s]}\n"),
        (THREE.replace("    scale: 3\n", "    deploy: {replicas: 7}\n    scale: 4\n"), "services: {app: }\n"),
    ],
)
def test_what_is_for_traefik_may_be_in_either_file(tmp_path, own, other):
    labels = ("traefik.http.routers.b.rule=Host(`b`)", "traefik.http.services.b.loadbalancer.server.port=8080")
    written(tmp_path, ".", compose_yaml=own, compose_override_yaml=other % labels if "%" in other else other)
    assert servers(tmp_path) == [("app:8080", 4)]


def test_what_is_reset_is_gone(tmp_path):
    written(tmp_path, ".", compose_yaml=THREE, compose_override_yaml="services: {app: {scale: !reset null}}\n")
    assert servers(tmp_path) == [("app:8080", 1)]
    written(tmp_path, ".", compose_override_yaml="services: {app: !reset null}\n")
    assert told(tmp_path, "traffic", ".")[-1].startswith("0 pools")


def test_what_a_service_extends_is_what_its_own_file_has(tmp_path):
    own = THREE + "  second:\n    extends: app\n    scale: 1\n"
    port = "    labels: {traefik.http.services.app.loadbalancer.server.port: 9090}\n"
    written(tmp_path, ".", compose_yaml=own, compose_override_yaml="services:\n  app:\n" + port)
    assert servers(tmp_path) == [("app:9090", 3), ("second:8080", 1)]


def test_the_second_file_of_a_folder_is_none_that_compose_reads(tmp_path):
    files = {"compose_yaml": THREE, "docker_compose_yml": THREE, "compose_override_yml": "services: {app: {scale: 5}}"}
    written(tmp_path, ".", **files)
    said = told(tmp_path, "traffic", ".")
    assert [line.split()[1:4] for line in said if line.startswith("app ")] == [
        ["app:8080", "×", "5"],
        ["app:8080", "×", "3"],
    ]


def test_a_finding_is_where_it_is_written(tmp_path):
    wrong = "services:\n  app:\n    labels:\n      traefik.http.routers.more.rule: Hots(`a`)\n"
    written(tmp_path, "new", compose_yaml=THREE, compose_override_yml=wrong)
    places = {place[:2] for place in findings(tmp_path, "new", "Hots")}
    assert places == {("new/compose.override.yml", 4)}
    written(tmp_path, "new", compose_override_yml="services:\n  app: [\n")
    ((path, _, _),) = findings(tmp_path, "new", "never closed")
    assert path == "new/compose.override.yml"


@pytest.mark.parametrize(
    ("named", "other"), [("compose.yaml", "compose.override.yml"), ("compose.override.yml", "compose.yaml")]
)
def test_half_a_project_is_not_all_of_it(tmp_path, named, other):
    written(tmp_path, ".", compose_yaml=THREE, compose_override_yml=THREE)
    said = told(tmp_path, "traffic", named)
    assert f"{named}:1: docker compose merges it with {other}, which is not among the files" in said


def test_a_project_without_traefik_is_merged_too(tmp_path):
    nginx = "events {}\nhttp {\n  upstream a { server app:80; server more:80; }\n"
    nginx += "  server { location / { proxy_pass http://a; } }\n}\n"
    own = "services:\n  web: {image: nginx, volumes: [./old.conf:/etc/nginx/nginx.conf]}\n  app: {image: b}\n"
    other = "services:\n  web: {volumes: [./nginx.conf:/etc/nginx/nginx.conf]}\n"
    files = {"nginx_conf": nginx, "old_conf": nginx, "compose_yaml": own}
    written(tmp_path, ".", **files, compose_override_yml=other)
    nobody = "no service of the Compose project is called more"
    assert [place[:2] for place in findings(tmp_path, ".", nobody)] == [("nginx.conf", 3)]
    written(tmp_path, ".", compose_override_yml=other + "  more: {image: b}\n")
    assert findings(tmp_path, ".", nobody) == []
    assert any("compose.override.yml, which is not" in line for line in told(tmp_path, "check", "compose.yaml"))
