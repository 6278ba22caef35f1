"""TOML with places: the same data as tomllib's, each value at its place, errors with line and column."""

from __future__ import annotations

import datetime as dt
import math
import string
import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcheck.dialects import toml
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, at_path, nodes, to_data
from lbcheck.text import Source

EXAMPLE = r'''# a comment
title = "a \"b\" \u00e9" # behind
'quoted key'."x.y" = 'C:\raw'
numbers = [1, -2, 1_000, 0xff, 0o17, 0b101, 1.5, -1e3, +7, inf, -inf,
  # between
  true, false,
]
when = 1979-05-27T07:32:00Z
day = 1979-05-27 07:32:00
long = """
first
second"""
joined = """\
  one \
  two"""
inline = { a = 1, b.c = [{ d = "e" }] }
[http.services.app.loadBalancer]
[[http.services.app.loadBalancer.servers]]
url = "http://10.0.0.1"
[[http.services.app.loadBalancer.servers]]
url = "http://10.0.0.2"
[http.services."b c"]
x.y.z = ""
[http.routers]
[http]
after = 1
'''


def plain(data):
    """tomllib's data with dates as the text that they are here."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [plain(item) for item in data]
    if isinstance(data, float) and math.isnan(data):
        return "nan"
    return "a date" if isinstance(data, (dt.date, dt.time)) else data


def same(wanted, found):
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict) and list(wanted) == list(found) and all(map(same, wanted.values(), found.values()))
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(same, wanted, found))
    return wanted == found or (wanted == "a date" and isinstance(found, str))


def read(text):
    stream = toml.read(Source("a.toml", text))
    assert len(stream.documents) + len(stream.hits) == 1
    return stream.documents[0] if stream.documents else stream.hits[0]


@pytest.mark.parametrize("text", [EXAMPLE, EXAMPLE.replace("\n", "\r\n"), "", "\n", "# only\n", "a=1"])
def test_same_data_as_tomllib(text):
    root = read(text)
    assert same(plain(tomllib.loads(text)), plain(to_data(root)))


def test_byte_order_mark():
    assert to_data(read("\ufeffa = 1\n")) == {"a": 1}


def test_each_value_at_its_place():
    root = read(EXAMPLE)
    place = ("http", "services", "app", "loadBalancer", "servers", 1, "url")
    node = at_path(root, place)
    assert (node.span.text, node.span.line, node.span.column) == ('"http://10.0.0.2"', 21, 7)
    key, servers = at_path(root, place[:-3]).fields()["servers"]
    assert key.span.text == "servers"
    assert (servers.span.line, servers.span.end_position[0]) == (18, 21)
    assert at_path(root, ["numbers", 3]).span.text == "0xff"
    assert at_path(root, ["inline", "b", "c", 0, "d"]).span.text == '"e"'
    assert [key.span.text for key, _ in at_path(root, ["http", "services"]).pairs] == ["app", '"b c"']


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a = 1\nb = \n", 2, 5, "invalid value"),
        ("a = 1\na = 2\n", 2, 6, "cannot overwrite"),
        ("[a]\n[a]\n", 2, 3, "twice"),
        ('a = "x\n', 1, 7, "illegal character"),
        ("a = [1, 2", 1, 10, "unclosed array"),
        ("a 1\n", 1, 3, "expected '='"),
        ("a = 1 b = 2", 1, 7, "newline"),
        ("a = 0012", 1, 6, "newline"),
        ("a = 0b12", 1, 8, "newline"),
        ('a = "\\q"', 1, 8, "unescaped"),
    ],
)
def test_errors_with_their_place(text, line, column, words):
    hit = read(text)
    assert (hit.code, hit.span.line, hit.span.column) == ("E01", line, column)
    assert words in hit.args["problem"]


@pytest.mark.parametrize("text", ["a = {\n b = 1,\n}\n", 'a = "\\e\\x41"\n'])
def test_toml_1_1_as_newer_traefiks_read_it(text):
    assert isinstance(read(text), MappingNode)


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 100_000, "[" + "a." * 100_000 + "b]", "a." * 50_000 + "b = 1", "a = {b = " * 5_000, '"' * 100_000],
)
def test_hostile_texts_end_soon(text):
    begin = time.monotonic()
    assert read(text).code in ("E01", "E04")
    assert time.monotonic() - begin < 2


WORDS = st.text(string.printable + "é€😀", max_size=12)
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**60), 2**60), WORDS, st.floats(allow_nan=False, allow_infinity=False)),
    lambda inside: st.one_of(st.lists(inside, max_size=4), st.dictionaries(WORDS, inside, max_size=4)),
    max_leaves=20,
)


def written(value):
    """A value in TOML, strings in a form that needs every escape."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return (
            '"'
            + "".join(
                f"\\U{ord(char):08X}" if char in '"\\' or char < " " or char == "\x7f" else char for char in value
            )
            + '"'
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)} = {written(item)}" for key, item in value.items()) + "}"
    return repr(value)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_generated_texts(data):
    text = "".join(f"{written(key)} = {written(value)}\n" for key, value in data.items())
    root = read(text)
    assert to_data(root) == tomllib.loads(text) == data
    for node in nodes(root):
        if isinstance(node, ScalarNode):
            assert 0 <= node.start < node.end <= len(text)


@given(st.text("ab.=[]{}\"'\\#\n ,1-_:tT", max_size=40))
def test_any_text_is_read_or_refused_as_tomllib_does(text):
    found = read(text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert isinstance(found, MappingNode)
    assert same(plain(data), plain(to_data(found)))
