"""Long lists of endpoints: read the quick way, they are what the slow way reads."""

from __future__ import annotations

import pytest

from lbcheck.dialects import envoy, yaml
from lbcheck.dialects.envoy import longlists
from lbcheck.dialects.yaml_nodes import SequenceNode, blocks, nodes
from lbcheck.files import DiskFiles
from lbcheck.text import Source

HEAD = """\
static_resources:
  clusters:
  - name: {name}
    type: STATIC
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
"""
BLOCK = """\
        - endpoint:
            address:
              socket_address:
                address: {host}
                port_value: {port}
"""
INDENTED = """\
          - endpoint:
                address:
                    socket_address:
                       address: {host}
                       port_value: {port}
"""
FLOW = "        - endpoint: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}}}\n"
SECOND = HEAD.partition("  - name")[2].replace(" {name}", "  - name: {name}", 1)


def endpoints(form, count, base=0):
    return "".join(form.format(host=f"10.{base}.{n >> 8}.{n & 255}", port=8000 + n) for n in range(count))


def cluster(name, form, count, base=0, head=HEAD):
    return head.format(name=name) + endpoints(form, count, base)


def quick_and_slow(text, monkeypatch):
    found = []
    for worth in (1000, 1 << 40):
        monkeypatch.setattr(longlists, "_WORTH", worth)
        (config,) = envoy.read(["envoy.yaml"], DiskFiles(memory={"envoy.yaml": text}))
        found.append(config)
    return found


def seen(config):
    servers = [
        (pool.name, server.name, server.address.key, server.span.start, server.span.end, server.weight.value)
        for pool in config.pools
        for server in pool.servers
    ]
    hits = [(hit.code, hit.span.start, hit.args) for hit in config.hits]
    return servers, hits, [(note.span.start, note.reason) for note in config.unmodelled]


def read(text):
    return longlists.read(Source("a", text))


def plain(stream):
    return sum(
        isinstance(item, longlists.PlainEndpoint)
        for document in stream.documents
        for node in nodes(document)
        if isinstance(node, SequenceNode)
        for item in node.items
    )


@pytest.mark.parametrize("form", [BLOCK, FLOW, INDENTED])
def test_lists_are_the_same(form, monkeypatch):
    text = cluster("a", form, 300) + cluster("b", form, 40, 1).partition("  clusters:\n")[2]
    quick, slow = quick_and_slow(text, monkeypatch)
    assert seen(quick) == seen(slow)
    assert len(quick.pools[0].servers) == 300
    assert len(quick.pools[1].servers) == 40
    monkeypatch.setattr(longlists, "_WORTH", 1000)
    assert plain(read(text)) == 338


@pytest.mark.parametrize(("form", "rest"), [(BLOCK, ""), (FLOW, ""), (BLOCK, "    connect_timeout: 1s\n")])
def test_extents_are_the_same(form, rest, monkeypatch):
    """Those that a comment may speak for: all but the ones inside of the endpoints."""
    text = cluster("a", form, 100) + rest
    monkeypatch.setattr(longlists, "_WORTH", 1000)
    quick, slow = read(text), yaml.read(Source("a", text))
    assert plain(quick) == 99
    first, second = (text.index(f"address: 10.0.0.{n}") for n in (0, 1))
    items = {item.start for document in quick.documents for node in nodes(document)
             if isinstance(node, SequenceNode) for item in node.items}  # fmt: skip
    wide = {(span.start, span.end) for span in blocks(slow.documents) if span.start < second or span.start in items}
    assert {(span.start, span.end) for span in blocks(quick.documents)} == {
        (start, end) for start, end in wide if start <= first or start in items
    }


@pytest.mark.parametrize(
    "change",
    [
        ("10.0.0.77\n", "10.0.0.77 # lbcheck: ignore[P04] meant\n"),
        ("port_value: 8077\n", "port_value: 0\n"),
        ("port_value: 8077\n", "port_value: 99999\n"),
        ("port_value: 8077\n", "port_value: abc\n"),
        ("10.0.0.77\n", "host.example\n"),
        ("10.0.0.77\n", "{{ host }}\n"),
        ("10.0.0.77\n", "&a 10.0.0.77\n"),
        ("                address: 10.0.0.77\n", "               address: 10.0.0.77\n"),
        ("                address: 10.0.0.77\n", "                adress: 10.0.0.77\n"),
        ("                address: 10.0.0.77\n", ""),
        (
            "        - endpoint:\n            address:\n",
            "        - endpoint:\n            hostname: a\n            address:\n",
        ),
    ],
)
def test_what_stands_between_is_the_same(change, monkeypatch):
    text = cluster("a", BLOCK, 300)
    assert change[0] in text
    quick, slow = quick_and_slow(text.replace(*change, 1), monkeypatch)
    assert seen(quick) == seen(slow)


def test_a_list_inside_of_a_text_is_left_alone(monkeypatch):
    inside = "".join("  " + line for line in cluster("b", BLOCK, 300).splitlines(keepends=True))
    text = cluster("a", BLOCK, 3) + "layered_runtime:\n  layers:\n  - name: |\n" + inside.replace("  ", "      ", 1)
    quick, slow = quick_and_slow(text, monkeypatch)
    assert seen(quick) == seen(slow)
    assert [document.span.text for document in read(text).documents] == [
        document.span.text for document in yaml.read(Source("a", text)).documents
    ]


def test_errors_behind_a_list_keep_their_places(monkeypatch):
    quick, slow = quick_and_slow(cluster("a", BLOCK, 300) + "    connect_timeout: [\n", monkeypatch)
    assert seen(quick) == seen(slow)
    assert quick.hits
