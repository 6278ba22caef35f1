"""What nginx refuses, and what only looks as if: each snippet is given to us and to the real nginx."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import pytest
from verdicts import nginx_t

from lbcheck.dialects import nginx as dialect
from lbcheck.dialects.nginx import directive_table, table_maker
from lbcheck.dialects.nginx.contexts import MASKS
from lbcheck.dialects.nginx.known import apart
from lbcheck.dialects.nginx.source_table import KINDS, WORDS
from lbcheck.files import DiskFiles

_spec = importlib.util.spec_from_file_location("snippets", Path(__file__).with_name("snippets.py"))
snippets = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(snippets)

STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def http(body):
    return f"events {{}}\nhttp {{\n{body}\n}}\n"


def stream(body):
    return f"events {{}}\nstream {{\n{body}\n}}\n"


def hits(text, name="nginx.conf"):
    files = DiskFiles(["/nonexistent"], memory={name: text})
    return [hit for config in dialect.read([name], files) for hit in config.hits]


def native(nginx, folder, text, modules=""):
    (folder / "nginx.conf").write_text(f"{modules}pid {folder}/pid;\n{text}")
    accepted, said = nginx_t(nginx, folder)
    found = re.search(r"\[emerg\] \d+#\d+: (.*)", said)
    return "" if accepted else found[1] if found else said


def says(found):
    return [f"{hit.code} {hit.args['problem']} {hit.args['advice']}" for hit in found]


@pytest.mark.parametrize(("body", "expected"), snippets.HTTP_REFUSED)
def test_refused_in_http(body, expected, nginx, tmp_path):
    code, words = expected.split(" ", 1)
    said = says(hits(http(body)))
    assert len(said) == 1, said
    assert said[0].startswith(code), said
    assert words in said[0], said
    assert native(nginx, tmp_path, http(body))


@pytest.mark.parametrize(("body", "expected"), snippets.STREAM_REFUSED)
def test_refused_in_stream(body, expected, nginx, tmp_path):
    code, words = expected.split(" ", 1)
    said = says(hits(stream(body)))
    assert len(said) == 1, said
    assert said[0].startswith(code), said
    assert words in said[0], said
    if os.path.exists(STREAM_MODULE):
        assert native(nginx, tmp_path, stream(body), f"load_module {STREAM_MODULE};\n")


@pytest.mark.parametrize("body", snippets.HTTP_TAKEN)
def test_taken(body, nginx, tmp_path):
    assert says(hits(http(body))) == []
    assert native(nginx, tmp_path, http(body)) == ""


@pytest.mark.parametrize(
    "body",
    [
        "load_module modules/ngx_http_vhost_module.so;\nevents {}\nhttp { server { return 200 $vhost_x; } }",
        http("vhost_traffic_status_zone;\nserver { return 200 $vts_x; }"),
        http("include /etc/nginx/other.conf;\nserver { return 200 $elsewhere; access_log off; limit_req zone=x; }"),
        http("server { listen ${PORT}; return 200 $NAME; }"),
        http("upstream u { server {{ a }} weight={{ w }}; }\nserver { listen {{ p }}; proxy_read_timeout {{ t }}; }"),
        http("upstream u { zone u 64k; }\nserver { location /api { api write=on; } }"),
        http("upstream u { consistent_hash $uri; server 10.0.0.1; check interval=3000; }"),
    ],
)
def test_what_others_may_know_is_left_alone(body):
    assert says(hits(body)) == []


def test_a_fragment_is_judged_only_where_its_context_is_certain():
    assert says(hits("proxy_set_header Host $host;\nproxi_pass http://a;\n", "proxy.conf")) == []
    said = says(hits("server {\n  location / {\n    proxi_pass http://a;\n  }\n}\n", "conf.d/a.conf"))
    assert [text[:3] for text in said] == ["E06"]


def test_a_syntax_error_hides_the_rest():
    assert [hit.code for hit in hits(http("server { listen 80 80; }\nserver {"))] == ["E01"]


def test_many_unknown_names_cost_little():
    assert len(hits(http("".join(f"servre{i} x;\n" for i in range(20_000))))) < 100


def test_the_table_is_crossplanes():
    module = {}
    exec(table_maker.text(), module)
    assert module["DIRECTIVES"] == directive_table.DIRECTIVES


#: Values for each kind of setter: right ones, and wrong ones.
RIGHT = {
    "flag": ["on", "OFF"],
    "time": ["5s", "1h30m", "500ms", '"1d 2h"', "1w", "10"],
    "seconds": ["5s", "1y", '"1h 30m"'],
    "size": ["64k", "1m"],
    "offset": ["64k", "1g"],
    "number": ["7"],
    "buffers": ["8 64k"],
}
WRONG = {
    "flag": ["yes", "1"],
    "time": ["1x", "1y", "s", "-1", "1.5s", "10sec", "1M", "1s1m"],
    "seconds": ["1x", "5ms", "-1"],
    "size": ["1g", "x", "1kb", "-1", "1.5k"],
    "offset": ["1t", "x"],
    "number": ["x", "-1", "1k"],
    "buffers": ["x 8k", "8 x", "0 8k", "8 0"],
    "word": ["nonsense"],
    "words": ["nonsense"],
}
PLACES = [
    (0x8000000, "server {{ location / {{ {} }} }}"),
    (0x4000000, "server {{ {} }}"),
    (0x2000000, "{}"),
    (0x10000000, "upstream u {{ server 127.0.0.1; {} }}"),
]


def _cases():
    for key, kind in KINDS.items():
        name = key.rpartition("/")[2]
        if kind == "text" or apart(name) or key.startswith("stream/"):
            continue
        place = next((text for bit, text in PLACES if any(mask & bit for mask in MASKS[name])), None)
        if place is not None:
            yield name, kind, list(WORDS.get(key, ())) or RIGHT[kind], place


def _disagreements(nginx, folder, name, kind, right, place):
    """Yield what one refuses and the other takes, of values of a directive that this nginx has."""
    first = native(nginx, folder, http(place.format(f"{name} {right[0]};")))
    if "unknown directive" in first:
        return
    doubled = f"{name} {right[0]}; {name} {right[0]};"
    for line in [f"{name} {value};" for value in [*right, *WRONG[kind]]] + [doubled]:
        text = http(place.format(line))
        refused = native(nginx, folder, text)
        if bool(refused) != bool(hits(text)):
            yield line, refused


def _beyond_one_line(refused):
    """Say whether nginx refuses a value for what stands elsewhere, for its own limits, or for its age."""
    return any(
        words in refused
        for words in ("must be", "size must", "directive must", "not allowed here", "invalid value", "pool size", "low")
    )


@pytest.mark.soak
def test_values_as_the_setters_of_nginx_judge_them(nginx, tmp_path):
    found = [one for case in _cases() for one in _disagreements(nginx, tmp_path, *case)]
    assert [one for one in found if not one[1]] == []
    assert [one for one in found if not _beyond_one_line(one[1])] == []


@pytest.mark.parametrize(
    "case", [one for number, one in enumerate(_cases()) if number % 17 == 0], ids=lambda one: one[0]
)
def test_some_values_as_the_setters_of_nginx_judge_them(case, nginx, tmp_path):
    found = list(_disagreements(nginx, tmp_path, *case))
    assert [one for one in found if not _beyond_one_line(one[1])] == []
