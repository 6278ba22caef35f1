"""Objects in what holds several of them besides YAML documents: read as kubectl reads it, or counted as not checked."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck
from dialects.kubernetes.test_kubernetes import load

INGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web"},
    "spec": {
        "rules": [
            {
                "host": "a.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "web", "port": {"number": 8080}}},
                        }
                    ]
                },
            }
        ]
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"ports": [{"port": 80}]},
}


def untyped(one):
    return {name: value for name, value in one.items() if name not in ("apiVersion", "kind")}


def listed(kind, *items, version="v1"):
    return {"kind": kind, "apiVersion": version, "items": list(items)}


def check(folder, text, name="a.json"):
    (folder / name).write_text(text)
    done = lbcheck(folder, "check", name, "--isolated", "--output-format", "json")
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("mark", "indent", "between"),
    [("", None, "\n"), ("", None, ""), ("", 2, "\n"), ("", 2, " \r\n\r\n"), ("\ufeff", None, "\n")],
)
def test_json_objects_one_after_another(mark, indent, between, tmp_path):
    text = mark + json.dumps(INGRESS, indent=indent) + between + json.dumps(SERVICE, indent=indent) + "\n"
    code, found = check(tmp_path, text)
    (finding,) = found["findings"]
    assert (code, finding["code"], finding["severity"]) == (1, "K04", "error")
    assert "no port 8080, only 80" in finding["message"]
    before = text[: text.index('"name": "web", "port"' if indent is None else '"name": "web",\n') + 8]
    assert finding["line"] == before.count("\n") + 1
    assert indent or finding["column"] == len(before) + 1


def test_a_place_in_a_later_json_object_is_its_own():
    (port,) = [
        place.span
        for place in load(
            a_json=json.dumps(SERVICE) + "\n" + json.dumps({**SERVICE, "spec": {"ports": [{"port": 0}]}})
        ).hits
    ]
    assert (port.line, port.text) == (2, "0")


@pytest.mark.parametrize("rest", ['{"kind": ', "[]", "spec: {}"])
def test_what_no_json_follows_is_told(rest, tmp_path):
    _, found = check(tmp_path, json.dumps(SERVICE) + "\n" + rest)
    assert "E01" in [finding["code"] for finding in found["findings"]]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(listed("ServiceList", untyped(SERVICE))) + "\n---\n" + json.dumps(INGRESS),
        json.dumps(listed("List", listed("ServiceList", untyped(SERVICE)), INGRESS)),
        json.dumps(listed("IngressList", untyped(INGRESS), version="networking.k8s.io/v1"))
        + json.dumps(listed("ServiceList", SERVICE)),
        "apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: web}\n  spec: {ports: [{port: 80}]}\n---\n"
        + json.dumps(INGRESS),
    ],
)
def test_a_typed_list_says_what_its_items_are(text, tmp_path):
    _, found = check(tmp_path, text, "a.yaml")
    assert [(one["code"], one["severity"]) for one in found["findings"]] == [("K04", "error")]
    assert found["not_checked"] == []


def test_a_file_with_nothing_but_a_typed_list_is_recognised(tmp_path):
    for text in (
        json.dumps(listed("ServiceList", untyped({**SERVICE, "spec": {"ports": [{"port": 0}]}}))),
        "apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: web}\n  spec: {ports: [{port: 0}]}\n",
    ):
        _, found = check(tmp_path, text, "a.yaml")
        assert [(one["code"], one["object"]["kind"]) for one in found["findings"]] == [("E09", "Service")]


def test_a_bare_list_is_not_checked(tmp_path):
    code, found = check(tmp_path, json.dumps([INGRESS, SERVICE]))
    assert (code, found["findings"]) == (3, [])
    assert [one["reason"] for one in found["not_checked"]] == [
        "objects in a bare list, which kubectl refuses: it takes `kind: List` with `items`"
    ]


def test_the_operations_of_a_patch_are_no_bare_list():
    config = load(
        kustomization_yaml="resources: [web.yaml]\npatches: [{path: p.yaml, target: {kind: Service}}]\n",
        web_yaml=json.dumps(SERVICE),
        p_yaml="- {op: replace, path: /spec/ports, value: []}\n",
    )
    assert [note.reason for note in config.unmodelled] == ["patches: patches are not applied"]
