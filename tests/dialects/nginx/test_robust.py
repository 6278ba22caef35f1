"""No text raises, whatever it says: random statements of nginx's own words, cut and joined at random."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lbcheck.dialects import nginx
from lbcheck.dialects.nginx.contexts import MASKS
from lbcheck.engine import INTERNAL
from lbcheck.files import DiskFiles
from lbcheck.model import Config
from lbcheck.project import judge
from lbcheck.settings import Settings

#: What `check` finds besides; a check that raises is E00.
JUDGE = judge(Settings())
VALUES = [
    "on", "off", "0", "1", "80", "default", "*", "~", "=", "^~", "~*", "/", "/a", "@x", "$a", "${b}", "$", "$1",
    "", "''", '""', "'a b'", "unix:", "unix:/a:/b", "[", "[::1]:80", "10.0.0.1:8080", "a:b:c", ":", "http://",
    "http://a", "http://$a/b", "$scheme://app", "https://app:443", "weight=", "weight=3", "weight=0",
    "max_fails=x", "backup", "down", "resolve", "zone=a:1m", "keys_zone=b", "50%", "100.5%", "1.234%",
    "10.0.0.0/8", "1-2", "80-90", "(", ")", "($a", "=)", "~(?<a>.)", "{{ x }}", "{% for a in b %}", "<%= y %>",
    "@@P@@", "app", "\udce9", "é", "٣", "9999999999999999999999999999999999999999", "%", "-", "/etc/nginx/*.conf",
    "include", "a.conf", "b.conf", "[a-", "****************a", "ssl", "udp", "default_server", "reuseport"
]  # fmt: skip
HEAVY = [
    "server", "upstream", "location", "proxy_pass", "listen", "map", "split_clients", "geo", "if", "include",
    "http", "stream", "mail", "set", "return", "hash", "sticky", "zone", "grpc_pass", "resolver", "api",
    "limit_req", "match", "content_by_lua_block", "lua_x", "types", "access_log", "state"
]  # fmt: skip
NAMES = st.one_of(st.sampled_from(HEAVY), st.sampled_from(sorted(MASKS)), st.sampled_from(VALUES))
SIMPLE = st.builds(lambda name, args: f"{name} {' '.join(args)};", NAMES, st.lists(st.sampled_from(VALUES), max_size=4))
STATEMENTS = st.recursive(
    SIMPLE,
    lambda inner: st.builds(
        lambda name, args, body: f"{name} {' '.join(args)} {{\n{chr(10).join(body)}\n}}",
        NAMES,
        st.lists(st.sampled_from(VALUES), max_size=3),
        st.lists(inner, max_size=6),
    ),
    max_leaves=30,
)
TEXTS = st.builds(
    lambda body, start, cut: start + "\n".join(body)[: cut or None],
    st.lists(STATEMENTS, max_size=6),
    st.sampled_from(["", "events {}\nhttp {", "events {}\n", "# configuration file /a.conf:\n", "\ufeff", "server {"]),
    st.one_of(st.none(), st.integers(1, 400)),
)


def check(texts):
    """Read the texts as a.conf, b.conf, …, and look at everything that a check may look at."""
    memory = {f"{chr(97 + number)}.conf": text for number, text in enumerate(texts)}
    files = DiskFiles(["/nonexistent"], memory=memory)
    files.known = list(memory)
    for path in memory:
        source = files.read(path)
        assert nginx.recognises(source) in {True, False}
        assert all(isinstance(one, str) for one in nginx.references(source))
    configs = nginx.read(list(memory), files)
    for config in configs:
        assert isinstance(config, Config)
        for hit in config.hits:
            assert hit.args["problem"]
            assert hit.args["advice"]
            assert hit.span.line >= 1
            assert 0 <= hit.span.start <= hit.span.end <= len(hit.span.source.text)
        for span in config.blocks():
            assert span.start <= span.end
        for pool in config.pools:
            assert pool.span.text is not None
            assert all(server.span.line for server in pool.servers)
        for frontend in config.frontends:
            for route in frontend.routes:
                assert route.outcome in {"pools", "answer", "unknown"}
                assert all(target.pool in config.pools for target in route.targets)
                assert sum(target.share or 0.0 for target in route.targets) <= 1.0001
        assert all(note.reason for note in config.unmodelled)
        assert [found.message for found in JUDGE(config).findings if found.code == INTERNAL] == []


@settings(max_examples=2_400)
@example(["location  {\nlocation on {\n}\n}"])
@example(["location /a {\nlocation  {\nproxy_pass http://a/b;\n}\n}"])
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_nothing_raises(texts):
    check(texts)


@pytest.mark.soak
@settings(max_examples=100_000)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_nothing_raises_in_the_long_run(texts):
    check(texts)
