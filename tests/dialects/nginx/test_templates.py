"""Templates of configs: one rendering is read, places are kept, and what a template decides is no fault."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcheck.dialects import nginx
from lbcheck.dialects.nginx.parser import parse
from lbcheck.dialects.nginx.templates import OPAQUE, OTHER_BRANCH, TORN, UNKNOWN_TEXT, exclusive, mask
from lbcheck.files import DiskFiles
from lbcheck.text import Source

RENDERED = [
    # Jinja
    ("{% if a %}x{% elif b %}y{% else %}z{% endif %};", "x ;"),
    ("{%- if a -%}{% if b %}x{% else %}y{% endif %}{%- else -%}z{%- endif -%};", "x ;"),
    ("{% for s in all %}x{% else %}y{% endfor %};", "x ;"),
    ("{% set v = 1 %}{% set w %}x{% endset %};", "x ;"),
    ("{% macro m(a) %}x;{% endmacro %}y;", "y;"),
    ("a {{ b }};{# if #}", "a ¤;"),
    # ERB and EPP
    ("<% if @a -%>x<% elsif @b -%>y<% else -%>z<% end -%>;", "x ;"),
    ("<%- @list.each do |one| -%>x <%= one %><%- end -%>;", "x ¤ ;"),
    ("<% unless @a %>x<% else %>y<% end %>;", "x ;"),
    ("<% case @a %><% when 1 %>x<% when 2 %>y<% end %>;", "x ;"),
    ("<% @list.each { |one| %>x<% } %>;", "x ;"),
    ("<% if $a { -%>x<% } else { -%>y<% } -%>;", "x ;"),
    ("<%# end %>x<% value = 1 %>;", "x ;"),
    # Go
    ("{{ if .A }}x{{ else if .B }}y{{ else }}z{{ end }};", "x ;"),
    ("{{- range $i, $s := .All }}x {{ $s.Host }}{{- end }};", "x ¤ ;"),
    ("{{- $name := .A }}x{{/* end */}};", "x ;"),
    ("{{ define `t` }}x;{{ end }}y;", "y;"),
    # Handlebars
    ("{{#if a}}x{{else}}y{{/if}};", "x ;"),
    ("{{#each all}}x {{this}}{{/each}}{{! end }};", "x ¤ ;"),
    ("{{#a}}x{{/a}}{{^a}}y{{/a}};", "x y ;"),
    ("a {{{ raw }}};", "a ¤;"),
    # others, and what only looks like one
    ("listen @@PORT@@;", "listen ¤;"),
    ("a {{ b;", "a {{ b;"),
    ("{% endif %}x{% else %};", "x ;"),
    ("{% if a %}x{% else %}y;", "x y;"),
]


@pytest.mark.parametrize(("text", "rendered"), RENDERED)
def test_one_rendering_is_read(text, rendered):
    masked = mask(text)
    assert len(masked) == len(text)
    words = " ".join(masked.split())
    while OPAQUE * 2 in words:
        words = words.replace(OPAQUE * 2, OPAQUE)
    assert words.replace(OPAQUE, "¤") == rendered


TAGS = [
    "{% if a %}",
    "{% else %}",
    "{% endif %}",
    "{{ b }}",
    "<% if a %>",
    "<% end %>",
    "{{ end }}",
    "{# c #}",
    "@@D@@",
]


@given(st.lists(st.sampled_from([*TAGS, "x", ";", "{", "}", "\n", "{{", "%}"]), max_size=40))
def test_places_are_kept(pieces):
    text = "".join(pieces)
    masked = mask(text)
    assert len(masked) == len(text)
    kept = set(masked) - {OPAQUE, " ", "\n"}
    assert kept <= set(text) | set(string.whitespace)
    parse(Source("x", text))


def config(text, name="nginx.conf"):
    files = DiskFiles(["/nonexistent"], memory={name: text})
    files.known = [name]
    (found,) = nginx.read([name], files)
    return found


def http(body):
    return config(f"events {{}}\nhttp {{\n{body}\n}}\n")


NOT_REFUSED = {
    "a branch each": "server { location / {\n{% if tls %}\nproxy_pass https://a;\n{% else %}\nproxy_pass http://a;\n"
    "{% endif %}\n} }",
    "conditions that exclude each other": "map $host $b {\n{% if x %}\ndefault 1;\n{% endif %}\n{% if not x %}\n"
    "default 2;\n{% endif %}\n}",
    "a branch within a line": "proxy_set_header X {% if a %}$host{% else %}$server_name{% endif %};",
    "a block that a branch closes": "server { listen 80;\n{{#if Ssl}}\nreturn 301 https://a;\n}\nserver { listen 443;\n"
    "{{/if}}\nroot /x;\n}",
    "a variable of several words": "large_client_header_buffers ${BUFFERS};\nopen_file_cache $CACHE;",
    "directives of one expression": "server {\nlisten 80;\n<%= @extra %>\nroot /x;\n<%= @more %>\n}",
    "directives of a variable": "server {\nlisten 80;\n${EXTRA}\nroot /x;\n}",
    "an upstream of one expression": "upstream a {\n{{ servers }}\n}",
    "two upstreams of one name": "{% if a %}upstream u { server 10.0.0.1; }{% endif %}\n"
    "{% if b %}upstream u { server 10.0.0.2; }{% endif %}",
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_REFUSED)
def test_a_template_is_not_refused(name):
    found = http(NOT_REFUSED[name])
    assert [hit.args for hit in found.hits] == []


REFUSED = {
    "twice under one condition": ("{% if a %}root /a;\nroot /b;{% endif %}", "E10"),
    "twice whatever holds": ("root /a;\n{% if a %}root /b;{% endif %}", "E10"),
    "a `;` that is missing beside a template": ("server { root /x\n}\nserver { listen {{ port }}; }", "E01"),
    "two words in the branch that is read": ("proxy_pass_header {% if a %}a b{% else %}c{% endif %};", "E08"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_rendering_mends_is_still_refused(name):
    text, code = REFUSED[name]
    assert [hit.code for hit in http(text).hits] == [code]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{% if a %}root /a;{% else %}root /b;{% endif %}", OTHER_BRANCH),
        ("server {\n{{ extra }}\n}", UNKNOWN_TEXT),
        ("<%# the footer closes it %>\nserver { listen 80;", TORN),
        ("<%# the header opens it %>\nroot /a; }", TORN),
    ],
)
def test_what_is_not_read_is_said(text, reason):
    found = config(text, "a.conf.erb")
    assert found.hits == []
    assert reason in {gap.reason for gap in found.unmodelled}
    assert found.open is not None


def test_an_expression_does_not_swallow_what_follows():
    found = http("server {\n{{ extra }}\nlisten 81;\nlocation / {\n{{ more }}\nproxy_pass http://10.0.0.1;\n}\n}")
    (server,) = found.frontends
    assert [listener.address.port for listener in server.listeners] == [81]
    assert [route.label for route in server.routes] == ["location /"]


def test_a_condition_decides_members():
    pool, other = http(
        "upstream a {\n{% if x %}\nserver 10.0.0.1;\n{% endif %}\nserver 10.0.0.2;\n}\nupstream {{ name }}_b {\n"
        'server "unix:/run/{{ name }}.sock" max_fails=0;\nserver 10.0.0.1;\n}'
    ).pools
    assert pool.open == "a template's condition decides its members"
    assert other.name == "{{ name }}_b"
    assert [server.name for server in other.servers] == ["unix:/run/{{ name }}.sock", "10.0.0.1"]
    assert other.servers[0].address.loopback


def test_a_byte_order_mark_of_a_template_is_its_engines():
    assert config("\ufeff# {{ note }}\nserver { listen 80; }", "a.conf.tmpl").hits == []
    assert [hit.code for hit in config("\ufeff# note\nserver { listen 80; }", "a.conf").hits] == ["E01"]


def test_exclusive():
    text = "{% if a %}1{% endif %}2{% if b %}3{% if c %}4{% endif %}{% endif %}"
    places = {digit: text.index(digit) for digit in "1234"}
    assert exclusive(text, places["1"], places["3"])
    assert exclusive(text, places["4"], places["1"])
    assert not exclusive(text, places["2"], places["3"])
    assert not exclusive(text, places["3"], places["4"])
