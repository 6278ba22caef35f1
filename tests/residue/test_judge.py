"""How differences are judged: several at once, one that covers another up, order, files, and what people see of it."""

from __future__ import annotations

import json

import pytest
from residue.configs import COMPOSE, CONFIGS, ENVOY, HAPROXY, INGRESS, NGINX, TRAEFIK
from residue.edits import DANGEROUS, HARMLESS
from residue.test_not_understood import compared, said

from lbcheck import comparison
from lbcheck.project import Request
from lbcheck.residue import reading
from lbcheck.residue.parts import Numbers
from lbcheck.residue.read import tree
from lbcheck.residue.write import Edits, texts
from lbcheck.settings import from_text
from lbcheck.sides import of_paths
from lbcheck.text import Source
from lbcheck.traffic.scenario import Scenario

_DIALECTS = {"ingress": "kubernetes", "mesh": "kubernetes", "compose": "traefik"}


def folders(tmp_path, old, new):
    """Return the changes between two folders: path → text."""
    for side, files in (("old", old), ("new", new)):
        for path, text in files.items():
            (tmp_path / side / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / side / path).write_text(text)
    sides = of_paths(str(tmp_path / "old"), str(tmp_path / "new"), Request(()))
    return comparison.diff(*sides, from_text("", str(tmp_path / "lbcheck.toml")), Scenario()).changes


@pytest.mark.parametrize("config", CONFIGS)
def test_the_same_in_another_spelling_is_silent(tmp_path, config):
    name, text = CONFIGS[config]
    dialect = _DIALECTS.get(config, config)
    source = Source(name, text)
    written = texts(tree(dialect, [("", source)], Numbers()), dialect, Edits())[name]
    assert written != text
    found = compared(tmp_path, text, written, name)
    assert (said(found), found.moved) == ([], 0.0)


@pytest.mark.parametrize("config", CONFIGS)
def test_all_edits_at_once_name_the_dangerous_ones(tmp_path, config):
    """Harmless and modelled edits beside them neither hide them nor are named with them."""
    name, text = CONFIGS[config]
    new, fields, taken = text, set(), set()
    for one, before, after, field in DANGEROUS:
        if one == config and before in new and before not in taken:
            new = new.replace(before, after, 1)
            fields.add(field)
            taken.add(before)
    for one, before, after in HARMLESS:
        if one == config and new.count(before) == 1 and "namespace" not in before:
            new = new.replace(before, after, 1)
    found = {one.name for one in compared(tmp_path, text, new, name).not_understood}
    assert fields == found


def test_one_that_covers_another_up_is_understood(tmp_path):
    """Where a cluster is written, weighted ones have no effect: that they are gone is a part of the change."""
    weighted = ENVOY[ENVOY.index("                  weighted_clusters") : ENVOY.index("          http_filters")]
    new = ENVOY.replace(weighted, "                  cluster: app\n")
    assert said(compared(tmp_path, ENVOY, new, "envoy.yaml")) == []


def test_order_counts_for_rules_and_not_for_servers(tmp_path):
    lines = "    http-request lua.a\n    http-request lua.b\n"
    swapped = "    http-request lua.b\n    http-request lua.a\n"
    old = HAPROXY.replace("    default_backend", f"{lines}    default_backend")
    servers = "    server a 10.0.0.1:80 check\n    server b 10.0.0.2:80 check\n"
    turned = "    server b 10.0.0.2:80 check\n    server a 10.0.0.1:80 check\n"
    assert said(compared(tmp_path / "a", old, old.replace(lines, swapped), "haproxy.cfg")) == [
        "http-request: lua.a stands in another order"
    ]
    assert said(compared(tmp_path / "b", old, old.replace(servers, turned), "haproxy.cfg")) == []


def test_an_object_may_move_to_another_file(tmp_path):
    first, second, *rest = INGRESS.split("---\n")
    old = {"a.yaml": f"{first}---\n{second}", "b.yaml": "---\n".join(rest)}
    new = {"a.yaml": first, "b.yaml": "---\n".join([*rest, second])}
    assert said(folders(tmp_path, old, new)) == []
    changed = new["b.yaml"].replace("  selector: {app: app}", "  unheardOf: x\n  selector: {app: app}")
    assert said(folders(tmp_path / "again", old, new | {"b.yaml": changed})) == ["unheardOf: x is new"]


def test_an_included_file_is_looked_at(tmp_path):
    root = NGINX.replace("        allow 10.0.0.0/8;\n", "        include access/*.conf;\n")
    old = {"nginx.conf": root, "access/a.conf": "allow 10.0.0.0/8;\n"}
    new = old | {"access/a.conf": "allow 10.0.0.0/8;\ndeny all;\n"}
    changes = folders(tmp_path, old, new)
    assert [(one.path[-13:], one.line, one.said) for one in changes.not_understood] == [
        ("access/a.conf", 2, "deny: all is new")
    ]


def test_toml(tmp_path):
    old = (
        '[http.routers.app]\nrule = "Host(`a.example`)"\nservice = "app"\nentryPoints = ["web"]\ntls = {}\n'
        '[[http.services.app.loadBalancer.servers]]\nurl = "http://10.0.0.1:80"\n'
    )
    new = old.replace("tls = {}", 'priority = 3\ntls = {options = "strict"}').replace("a.example", "b.example")
    assert said(compared(tmp_path, old, new, "dynamic.toml")) == ["options: strict is new"]


def test_labels_are_the_same_as_a_list_and_as_a_mapping(tmp_path):
    start, end = COMPOSE.index("    - traefik.enable"), COMPOSE.index("    deploy:")
    mapping = COMPOSE[start:end].replace("    - ", "      ").replace("=", ": ")
    assert said(compared(tmp_path, COMPOSE, COMPOSE[:start] + mapping + COMPOSE[end:], "compose.yaml")) == []


def test_the_command_of_an_application_is_its_own(tmp_path):
    app = "    image: example/app:1\n"
    old, new = (COMPOSE.replace(app, f"{app}    command: [--mode={mode}]\n") for mode in ("fast", "slow"))
    assert said(compared(tmp_path, old, new, "compose.yaml")) == []


def test_secrets_and_control_characters_stay_inside(tmp_path):
    old = TRAEFIK.replace("compress: {}", 'unheardOf: {password: "first"}')
    new = old.replace('"first"', r'"hunter2\e[31m"')
    changes = compared(tmp_path, old, new, "dynamic.yaml")
    (one,) = changes.not_understood
    assert one.name == "password"
    assert "hunter2" not in json.dumps(one)


def test_long_values_are_shortened(tmp_path):
    new = INGRESS.replace("spec:\n  ingress", "spec:\n  unheardOf: " + "y" * 500 + "\n  ingress")
    (one,) = compared(tmp_path, INGRESS, new, "app.yaml").not_understood
    assert len(one.after) == 60


@pytest.mark.parametrize("count", [5, 300])
def test_many_servers_that_change_do_not_hide_one_field(tmp_path, count):
    servers = "".join(f"    server s{at} 10.0.{at // 250}.{at % 250}:80 check weight 1\n" for at in range(count))
    old = HAPROXY[: HAPROXY.index("    server a")] + servers
    new = old.replace("weight 1\n", "weight 2\n", count // 2).replace(
        "    balance", "    http-request lua.x\n    balance"
    )
    changes = compared(tmp_path, old, new, "haproxy.cfg")
    assert said(changes) == ["http-request: lua.x is new"]
    assert changes.moved


def test_long_lists_are_read_again_by_a_few_servers():
    endpoint = "        - endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}\n"
    text = ENVOY.replace(endpoint, endpoint * 500)
    root = tree("envoy", [("", Source("envoy.yaml", text))], Numbers())
    spare = reading._spare(root, ())
    assert len(spare) == 501 - reading._KEPT
    assert len(texts(root, "envoy", Edits((), spare))["envoy.yaml"]) < len(text) / 10


def test_what_the_budget_leaves_unread_is_named(tmp_path, monkeypatch):
    new = ENVOY.replace("{name: app, weight: 90}", "{name: app, weight: 80}").replace(
        "port_value: 8080", "port_value: 81"
    )
    assert said(compared(tmp_path / "a", ENVOY, new, "envoy.yaml")) == []
    monkeypatch.setattr(reading, "_MOST_READINGS", 1)
    assert len(said(compared(tmp_path / "b", ENVOY, new, "envoy.yaml"))) == 2


def test_a_dump_is_read_again_file_by_file(tmp_path):
    root = NGINX.replace("allow 10.0.0.0/8;", "include access/*.conf;")
    mark = "# configuration file /etc/nginx/"
    old = f"{mark}nginx.conf:\n{root}\n{mark}access/a.conf:\nallow 10.0.0.0/8;\n"
    new = old.replace("allow 10.0.0.0/8;", "allow 10.0.0.0/8; deny all;").replace("10.0.0.2:80", "10.0.0.2:80 weight=3")
    changes = compared(tmp_path, old, new.replace("location /old", "location /older"), "dump.conf")
    assert said(changes) == ["deny: all is new"]


def test_many_services_that_change_are_one_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_MOST_READINGS", 10)
    services = "".join(
        f"    s{at}:\n      loadBalancer:\n        servers: [{{url: 'http://10.1.{at}.1:80', weight: 1}}, "
        f"{{url: 'http://10.1.{at}.2:80', weight: 1}}]\n"
        for at in range(50)
    )
    old = TRAEFIK + services
    new = old.replace("1:80', weight: 1}", "1:80', weight: 2}").replace("certResolver: le", "options: strict")
    assert said(compared(tmp_path, old, new, "dynamic.yaml")) == ["options: strict is new"]


def test_a_file_that_is_gone_and_files_that_stay(tmp_path):
    """What a removed file held comes back into another one to be judged, and files that stay are not read for it."""
    first, second, third, ingress = INGRESS.split("---\n")
    old = {"a.yaml": first, "b.yaml": f"{second}---\n{ingress}", "c.yaml": third}
    assert said(folders(tmp_path, old, old)) == []
    assert said(folders(tmp_path / "gone", old, {"a.yaml": first, "c.yaml": third})) == []
    policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"
    policy += "spec: {podSelector: {}}\n"
    other = f"{policy}---\n{ingress.replace('name: app', 'name: two', 1).replace('shop.example', 'two.example')}"
    gone = folders(tmp_path / "policy", old | {"d.yaml": other}, old)
    come = folders(tmp_path / "come", old, old | {"d.yaml": other})
    assert [[one.name for one in each.not_understood] for each in (gone, come)] == [["NetworkPolicy"]] * 2
