"""Any text is read without an exception, in time that grows with its length only."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lbcheck.dialects.haproxy import keywords, read, recognises, references
from lbcheck.dialects.haproxy.options import SERVER_FLAGS, SERVER_VALUES
from lbcheck.engine import INTERNAL
from lbcheck.files import DiskFiles
from lbcheck.project import judge
from lbcheck.settings import Settings

#: What `check` finds besides; a check that raises is E00.
JUDGE = judge(Settings())
_HEADS = ["global", "defaults", "defaults d", "frontend f", "backend b", "listen l", "backend b from d", "peers p"]
_MORE = r"""
if unless or || ! !x { } {} x TRUE path_beg path src hdr(host) var( %[src] %[ %[path,map(x)] table a 1 -1 256 10s 5x :80
10.0.0.1:80 [::1] unix@/a ${X} {{x}} {%x%} "$Y" '' "" ( ) , = # \ connect send expect status http tcp consistent uri
insert client redispatch httpchk enable admin socket .if .else .endif
"""
_WORDS = [*sorted(keywords.PROXY), *sorted(SERVER_FLAGS | SERVER_VALUES)[::3], *_MORE.split()]
_LINES = st.lists(st.sampled_from(_WORDS), max_size=7).map(" ".join)
_TEXTS = st.lists(st.one_of(st.sampled_from(_HEADS), _LINES, _LINES, _LINES, _LINES), max_size=25).map("\n".join)


def check(text):
    files = DiskFiles(memory={"x.cfg": text})
    (config,) = read(["x.cfg"], files)
    source = files.read("x.cfg")
    recognises(source)
    references(source)
    for hit in config.hits:
        assert 0 <= hit.span.start <= hit.span.end <= len(text)
        assert hit.args["problem"]
        assert hit.args["advice"]
    for pool in config.pools:
        for server in pool.servers:
            assert server.span.text
            assert server.weight.span is None or server.weight.span.text
    assert [found.message for found in JUDGE(config).findings if found.code == INTERNAL] == []


@given(_TEXTS)
@example('backend b\noption httpchk GET / ""\nserver a 10.0.0.1:80 check\n')
@settings(max_examples=2_600)
def test_any_lines_are_read(text):
    check(text)


@pytest.mark.soak
@given(_TEXTS)
@settings(max_examples=100_000)
def test_any_lines_are_read_in_the_long_run(text):
    check(text)


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_any_text_is_read(text):
    (config,) = read(["x.cfg"], DiskFiles(memory={"x.cfg": "backend b\n" + text}))
    assert config.pools


LONG = {
    "one line": "backend b\n server a " + "x" * 1_000_000 + "\n",
    "many words": "backend b\n server a 10.0.0.1:80 " + "check " * 200_000 + "\n",
    "many quotes": "backend b\n description " + '"a" ' * 200_000 + "\n",
    "an open quote": "backend b\n description " + "'a' " * 100_000 + '"\n',
    "open braces": "frontend f\n use_backend b if " + "{ " * 200_000 + "\n",
    "many alternatives": "frontend f\n acl a path /\n" + " use_backend b if " + "a or " * 31 + "a\n",
    "deep conditions": ".if x\n" * 50_000,
    "many sections": "backend b\n" * 10_000,
    "many defaults": "".join(f"defaults d{i} from d{i - 1}\n" for i in range(3_000))
    + "backend b\n server a 10.0.0.1:80\n",
    "unknown keywords": "backend b\n" + "".join(f" keywrd{i} x\n" for i in range(3_000)),
    "undefined acls": "frontend f\n" + "".join(f" use_backend b if nosuch{i}\n" for i in range(3_000)),
    "templates": "backend b\n" + "server {{ a }} {{ b }}:80\n" * 10_000,
    "a template of a million": "backend b\n server-template s 1-1000000 10.0.0.1:80\n",
    "parentheses": "frontend f\n acl a " + "hdr(" * 100_000 + "\n",
    "open templates": "frontend f\n http-request set-header X " + "{{" * 50_000 + "{%" * 50_000 + "<%" * 50_000 + "\n",
    "quotes in open templates": "frontend f\n acl a " + "{{'{%\"" * 50_000 + "\n",
    "flags of formats": "frontend f\n http-request set-header X " + "%{" * 100_000 + "\n",
    "calls of formats": "frontend f\n http-request set-header X " + "%[a('" * 50_000 + "\n",
    "converters": "frontend f\n acl a src" + ",a(b)" * 100_000 + "\n",
    "percent brackets": "frontend f\n http-request set-header X " + "%[" * 100_000 + "\n",
}


@pytest.mark.parametrize("name", LONG)
def test_long_input_ends_in_time(name):
    began = time.process_time()
    (config,) = read(["x.cfg"], DiskFiles(memory={"x.cfg": LONG[name]}))
    assert config
    assert time.process_time() - began < 2
