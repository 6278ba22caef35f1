"""The guarded YAML reader: places, values, duplicates, and an end in a finding whatever the text."""

from __future__ import annotations

import json
import math
import time

import pytest
import yaml as pyyaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lbcheck.dialects import yaml
from lbcheck.dialects.yaml_nodes import ScalarNode, at_path, blocks, duplicate_keys, nodes, to_data
from lbcheck.text import Source


def read(text):
    return yaml.read(Source("a.yaml", text))


def data(text):
    stream = read(text)
    assert stream.hits == []
    return to_data(stream.documents[0])


def problem(text):
    stream = read(text)
    assert len(stream.hits) == 1, stream.documents
    hit = stream.hits[0]
    assert hit.args["problem"]
    assert hit.args["advice"]
    return hit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("010", "010"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("22:30", "22:30"),
        ("2026-01-31", "2026-01-31"),
        ("=", "="),
        ("12", 12),
        ("-7", -7),
        ("+3", 3),
        ("0", 0),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("''", ""),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!int x", "x"),
        ("!!float 3", 3),
        ("!!bool 'true'", True),
        ("! 12", "12"),
        ("!mine 12", "12"),
        ("!!python/object/apply:os.system [x]", ["x"]),
        ("9" * 300, int("9" * 300)),
        ("9" * 5000, "9" * 5000),
        ("1e400", math.inf),
    ],
)
def test_values(text, value):
    found = data(text)
    assert found == value
    assert type(found) is type(value)


def test_places_are_code_points():
    text = "# ü😀\nkey: 😀\n'ö': [a, \"b c\"]\n"
    for mark in ("", "\ufeff"):
        root = read(mark + text).documents[0]
        assert [node.span.text for node in nodes(root)][1:] == ["key", "😀", "'ö'", '[a, "b c"]', "a", '"b c"']
        assert root.span.text == "key: 😀\n'ö': [a, \"b c\"]"
        assert root.pairs[1][1].items[1].span.line == 3


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    root = read(end.join(["a: 1", "b:", "  - x", "  - 'y'", ""])).documents[0]
    assert [node.span.text for node in nodes(root) if isinstance(node, ScalarNode)] == [*"a1bx", "'y'"]


def test_blocks_end_with_their_last_value():
    root = read("a:\n  b: 1\n  c:\n    - 2\n\n# more\nd: {e: 3}\n").documents[0]
    found = sorted((span.line, span.text) for span in blocks([root]))
    assert found == [(1, "a:\n  b: 1\n  c:\n    - 2"), (3, "c:\n    - 2"), (7, "d: {e: 3}")]


def test_duplicate_keys_are_kept_and_named():
    root = read("a: 1\nb: {x: 1, 'x': 2}\na: 2\n").documents[0]
    assert len(root.pairs) == 3
    assert to_data(root) == {"a": 1, "b": {"x": 1}}
    found = [(first.span.line, second.span.line) for first, second in duplicate_keys(root)]
    assert found == [(1, 3), (2, 2)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("- - {a: 1,\n a: 2}\n", [2]),
        ("a: &x\n  b: 1\n  b: 2\nc: {d: *x}\n", [3]),
        ("? {a: 1, a: 2}\n: 1\n", []),  # a mapping as a key is no field of anybody's
        ("a: &x {b: 1}\nc: {<<: *x, <<: *x, b: 2}\n", []),
        ("a: {b: 1}\n---\na: {b: 1}\n", []),
    ],
)
def test_duplicate_keys_wherever_they_are(text, lines):
    roots = read(text).documents
    assert [second.span.line for root in roots for _, second in duplicate_keys(root)] == lines
    assert any(root.twice for root in roots) >= bool(lines)


def test_merge_keys():
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none: {<<: *b, x: 9}\ntwo: {<<: [*b, *m]}\nthree: {'<<': 1}\n"
    found = data(text)
    assert found["one"] == {"x": 9, "y": 2}
    assert found["two"] == {"x": 1, "y": 2, "z": 4}
    assert found["three"] == {"<<": 1}


def test_aliases_give_the_node_itself():
    root = read("a: &x [1]\nb: *x\n").documents[0]
    assert root.pairs[0][1] is root.pairs[1][1]
    assert root.span.text == "a: &x [1]\nb: *x"


def test_documents():
    stream = read("a: 1\n---\n- b\n---\n...\n")
    assert [to_data(root) for root in stream.documents] == [{"a": 1}, ["b"], None]
    assert read("").documents == []
    assert read("# nothing\n").documents == []


def test_documents_before_an_error_are_kept():
    stream = read("a: 1\n---\nb: [\n")
    assert [to_data(root) for root in stream.documents] == [{"a": 1}]
    assert stream.hits[0].code == "E01"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: b: c\n", 1, 5, "mapping values"),
        ("a:\n\tb: 1\n", 2, 1, "a tab"),
        ("a: @b\n", 1, 4, "cannot begin with @"),
        ("a: 'b\nc: d\n", 1, 4, "quote is never"),
        ("a: [b, c\n", 1, 4, "bracket is never"),
        ("a: {b: [\n\n", 1, 8, "bracket is never"),
        ("a: [b, 'c]\n", 1, 8, "quote is never"),
        ("a: {b: c\nd: e\n", 2, 2, "flow mapping"),
        ("a: *b\n", 1, 4, "no anchor &b"),
        ("a: &a [*a]\n", 1, 8, "stands inside"),
        ("a: 1\n- b\n", 2, 1, "block mapping"),
        ('a: "\\q"\n', 1, 5, "escape"),
        ("a: !x!y z\n", 1, 4, "tag"),
        ("%YAML 9.0\n---\na: 1\n", 1, 1, "YAML"),
        ("a: b\0c\n", 1, 5, "U+0000"),
        ("ok: 1\na: \x1b[31m\n", 2, 4, "U+001B"),
        ("a: \udcff\n", 1, 4, "byte 0xff"),
    ],
)
def test_errors_have_their_place(text, line, column, words):
    hit = problem(text)
    assert hit.code == "E01"
    assert words in hit.args["problem"]
    assert (hit.span.line, hit.span.column) == (line, column)


def bomb(levels, width):
    lines = ["a0: &a0 x"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * width)}]" for at in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (bomb(12, 9), "aliases"),
        ("a: &a " + "[" * 150 + "x" + "]" * 150 + "\nb: " + "[" * 100 + "*a" + "]" * 100, "nested"),
        (bomb(400, 1), "nested"),
        ("[" * 1_000_000, "nested"),
        ("{a: " * 50_000, "nested"),
        ("- " * 5_000, "nested"),
        ("? " * 5_000, "nested"),
        ("\n".join(" " * at + "a:" for at in range(1_000)), "nested"),
    ],
    ids=["aliases", "deep alias", "alias chain", "brackets", "braces", "dashes", "questions", "indents"],
)
def test_bombs(text, words):
    start = time.process_time()
    hit = problem(text)
    assert hit.code == "E04"
    assert words in hit.args["problem"]
    assert time.process_time() - start < 2


def test_too_many_values(monkeypatch):
    monkeypatch.setattr(yaml, "MAX_NODES", 10)
    hit = problem("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]")
    assert hit.code == "E04"
    assert "10 values" in hit.args["problem"]


def test_without_the_c_library(monkeypatch):
    monkeypatch.delattr(pyyaml, "CSafeLoader", raising=False)
    test_places_are_code_points()
    test_documents()
    assert problem("a: [b\n").code == "E01"
    assert problem("[" * 5_000).code == "E04"
    assert problem("a: b\0c").code == "E01"


def test_path_to_a_node():
    root = read("a:\n  - {b: c}\n").documents[0]
    assert at_path(root, ["a", 0, "b"]).span.text == "c"
    assert at_path(root, ["a", 0, "x"]).span.text == "{b: c}"
    assert at_path(root, ["a", 5]).span.text == "- {b: c}"
    assert at_path(root, []) is root


YAMLISH = st.text(
    st.sampled_from(list("ab01-:,[]{}&*!|>'\"%@`#? \n\t\r\\~<=.\ufeff\x85\u2028é😀\0\udc80")), max_size=60
)


@settings(max_examples=500, deadline=None)
@given(st.one_of(YAMLISH, st.text(max_size=40)))
@example("? ? ?")
@example("a: |2\n x")
@example("--- !!map\n&a : *a")
def test_never_raises(text):
    stream = read(text)
    for root in stream.documents:
        to_data(root)
        list(duplicate_keys(root))
        for node in nodes(root):
            assert 0 <= node.start <= node.end <= len(text)
    for span in blocks(stream.documents):
        assert 0 <= span.start < span.end <= len(text)
    for hit in stream.hits:
        assert 0 <= hit.span.start <= hit.span.end <= len(text)
        assert hit.span.line >= 1


PRINTABLE = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=9)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), PRINTABLE),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(PRINTABLE, inner, max_size=3)),
        max_leaves=10,
    )
)
def test_reads_json_as_json_does(value):
    assert data(json.dumps(value, ensure_ascii=False)) == value
