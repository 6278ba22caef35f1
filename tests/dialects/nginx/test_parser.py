"""Text → tree, held against nginx's own tokeniser, the real nginx, and the real configs beside the checkout."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from verdicts import nginx_t

from lbcheck.dialects.nginx.lexer import TOKEN, unescape, words
from lbcheck.dialects.nginx.parser import parse
from lbcheck.dialects.nginx.templates import is_template
from lbcheck.files import MAX_DEPTH
from lbcheck.text import Source

_spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
MARKS = [
    " ",
    "\t",
    "\r\n",
    "\n",
    ";",
    "{",
    "}",
    '"',
    "'",
    "\\",
    "$",
    "${",
    "#",
    ")",
    "(",
    "~",
    "*",
    "/",
    "|",
    "^",
    ",",
    "%",
]
WORDS = ["a", "b1", "server", "x=y", "a b;\n", "c {\n", "}\n", "\x00", "é", "\udce9", "\u00a0", "\x0b", "[::1]:80"]
PIECES = st.lists(st.sampled_from(MARKS + WORDS), max_size=40).map("".join)


def tree(text):
    return parse(Source("x.conf", text))


def flat(text):
    """Return (depth, words, is a block) of every directive, and the first fault."""
    read = tree(text)
    found, stack = [], [(0, one) for one in reversed(read.directives)]
    while stack:
        depth, one = stack.pop()
        found.append((depth, [one.name, *one.args], one.children is not None))
        stack.extend((depth + 1, child) for child in reversed(one.children or ()))
    return found, read.faults[0].problem if read.faults else None


@settings(max_examples=3000, deadline=None)
@given(PIECES)
@example("map ${a} $b { x y; }")
@example("a ${b}c{d e;}")
@example('if ($a = "x") { b; }')
@example("a 'b\\'c' \"d\\\"e\";")
@example("a b\\ c\\;d\\{e;")
@example("a #b\n c; # d")
@example("a b#c;")
@example("a$;{}")
@example("a}b c;")
@example("a \\")
@example("server_name ~^(?<a>\\d{1,3})$;")
def test_same_as_nginx(text):
    assume(not is_template(text))
    ours, fault = flat(text)
    theirs, refused = reference.statements(text)
    assert ours == theirs
    assert (fault is None) == (refused is None), (fault, refused)


@settings(max_examples=1000, deadline=None)
@given(PIECES)
def test_tokens_and_gaps_rebuild_the_text(text):
    at, rebuilt = 0, []
    while match := TOKEN.match(text, at):
        group = match.lastindex
        start = match.start(group) - (group in {3, 4})
        rebuilt += text[at:start], text[start : match.end()]
        assert text[at:start].strip(" \t\r\n") == ""
        at = match.end()
    assert "".join(rebuilt) + text[at:] == text


@settings(max_examples=1000, deadline=None)
@given(PIECES)
@example("a b ;")
@example("a b {}")
def test_every_word_has_its_place(text):
    assume(not is_template(text))
    source = Source("x.conf", text)
    for one in parse(source).all():
        cut = list(words(text, one.start, one.end))
        assert [value for _, _, value in cut] == [one.name, *one.args]
        assert one.name_span.start == one.start
        for index, (start, end, _) in enumerate(cut):
            span = one.word_span(index)
            assert (span.start, span.end) == (start, end)
        if one.args:
            assert one.arg_span(-1).end == one.end == one.span.end
        assert one.close >= one.end


def line_of(text, offset):
    return Source("x", text).position(offset)[0]


@pytest.mark.parametrize(
    ("text", "line", "related", "says"),
    [
        ("a {\nb;\n", 1, 3, "block `a` that opens on line 1"),
        ("a;\n}\n", 2, None, "no block is open"),
        ("http {\n    a b\n}\n", 2, 3, '`a` is not ended by ";"'),
        ("http {\n    a b\n    c d;\n", 1, 4, "block `http`"),
        ("a 'b;\nc;\n", 1, 3, "quote that begins here"),
        ("a 'b'c;", 1, None, "after a closing quote"),
        ("a b", 1, 1, '`a` is not ended by ";"'),
        (";", 1, None, 'unexpected ";"'),
        ("a;\n  {", 2, None, 'unexpected "{"'),
        ("\ufeffevents {}", 1, None, "byte order mark"),
        ("http {\n  server {\n    a;\n\n  server {\n    b;\n  }\n}\n", 2, 9, "block `server` that opens on line 2"),
        ("http {\n  content_by_lua_block {\n  t = { '}' }\n", 2, None, "Lua block"),
    ],
)
def test_faults(text, line, related, says):
    fault = tree(text).faults[0]
    assert says in fault.problem
    assert fault.code == "E01"
    assert line_of(text, fault.start) == line
    assert related is None or line_of(text, fault.related[0]) == related


def test_lua_is_skipped_with_balance():
    text = 'http { init_by_lua_block { -- }\n x = "}" .. [[ } ]] .. [==[ } ]==] t = { {} } } a b; }'
    read = tree(text)
    assert read.faults == []
    lua, after = read.directives[0].children
    assert (lua.children, after.args) == ([], ["b"])
    assert lua.raw.startswith(" -- }")


@pytest.mark.parametrize(
    "text",
    [
        "upstream {{ n }} {\n{% for s in all %}\n  server {{ s.host }}:{{ s.port }} weight={{ s.w }};\n{% endfor %}\n}",
        "server_name <%= @host %>;\n<% @list.each do |x| %>\nallow <%= x %>;\n<% end %>",
        "listen @@PORT@@;\nproxy_pass http://@@HOST@@;",
        "listen ${PORT};\n{# a comment { #}\nserver_name {{ name }};\n",
        "server {# no template\n a b; #}\n }",
    ],
)
def test_templates_are_no_faults(text):
    assert tree(text).faults == []


def test_depth_is_limited():
    text = "a {" * (MAX_DEPTH + 5)
    assert tree(text).faults[0].code == "E04"
    fine = "a {" * MAX_DEPTH + "}" * MAX_DEPTH
    assert tree(fine).faults == []


@pytest.mark.parametrize(
    ("data", "accepted"),
    [
        (b"\xef\xbb\xbfevents {}\n", False),
        (b"events {}\r\nhttp {\r\n  server_tokens off;\r\n}\r\n", True),
        (b"events {}\nhttp { server { return 200 \xe9\xff; } }\n", True),
        (b"events {}\nhttp { map ${host} $b { default ${host}x; } }\n", True),
        (b"events {}\nhttp { server { set $a b\\;c; set $d 'e\"f'; } }\n", True),
        (b"events {}\nhttp { server { set $a 'b'c; } }\n", False),
    ],
)
def test_what_the_real_nginx_says(data, accepted, tmp_path, nginx):
    (tmp_path / "nginx.conf").write_bytes(b"pid p;" + data if accepted else data)
    taken, said = nginx_t(nginx, tmp_path)
    assert taken == accepted, said
    assert (tree(data.decode("utf-8", "surrogateescape")).faults == []) == accepted


def _crossplane(path):
    import crossplane

    def plain(block):
        for one in block:
            if one["directive"] == "#":
                continue
            yield one["directive"], one["args"], "block" in one
            yield from plain(one.get("block", ()))

    read = crossplane.parse(str(path), single=True, combine=False)["config"][0]
    return list(plain(read["parsed"])), read["errors"]


#: Where crossplane errs: it loses the blank behind `${name}`, and has its own idea of Lua. It leaves escapes alone.
CROSSPLANE_ERRS = ("${", "_by_lua")


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of real configs is not beside the checkout")
def test_same_as_crossplane_on_real_configs():
    compared = 0
    for path in sorted((CORPUS / "nginx").rglob("*")):
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        read = tree(text)
        if read.faults or any(mark in text for mark in CROSSPLANE_ERRS) or not text.isascii():
            continue
        theirs, errors = _crossplane(path)
        if errors:
            continue
        compared += 1
        ours = [(one.name, _without_parentheses(one), one.children is not None) for one in read.all()]
        assert ours == [(unescape(name), [unescape(arg) for arg in args], block) for name, args, block in theirs], path
    assert compared > 650


def _without_parentheses(directive):
    """crossplane takes the parentheses of a condition off."""
    args = list(directive.args)
    if directive.name == "if" and args and args[0].startswith("(") and args[-1].endswith(")"):
        args[0] = args[0][1:]
        args[-1] = args[-1][:-1]
        args = [arg for number, arg in enumerate(args) if arg or number not in {0, len(args) - 1}]
    return args
