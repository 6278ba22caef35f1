"""What one config is: roots, includes, fragments, dumps; and which files are nginx's at all."""

from __future__ import annotations

import os

import pytest

from lbcheck.dialects import nginx
from lbcheck.dialects.nginx.parser import parse
from lbcheck.dialects.nginx.roots import context_of_fragment
from lbcheck.files import DiskFiles
from lbcheck.text import Source


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Write files, and read those that are named (all, unless told)."""
    monkeypatch.chdir(tmp_path)

    def reader(written, only=None, root=None):
        for name, text in written.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        paths = [os.path.normpath(path) for path in only or written]
        files = DiskFiles([str(tmp_path)], root)
        files.known = paths
        return nginx.read(paths, files)

    return reader


def http(body):
    return f"events {{}}\nhttp {{\n{body}\n}}\n"


def files_of(config):
    return [source.path for source in config.files]


def test_an_included_file_is_no_root(read):
    configs = read({"nginx.conf": http("include conf.d/*.conf;"), "conf.d/a.conf": "server { listen 81; }"})
    assert [config.path for config in configs] == ["nginx.conf"]
    assert files_of(configs[0]) == ["nginx.conf", "conf.d/a.conf"]
    assert configs[0].open is None
    assert len(configs[0].frontends) == 1


def test_a_servers_path_is_found_by_its_end(read):
    written = {"nginx.conf": http("include /etc/nginx/conf.d/*.conf;"), "conf.d/a.conf": "server { listen 81; }"}
    configs = read(written)
    assert len(configs) == 1
    assert len(configs[0].frontends) == 1


def test_a_duplicate_by_a_guessed_file_is_no_certain_error(read):
    pool = "upstream a { server 10.0.0.1; }"
    written = {"nginx.conf": http(f"{pool} include /etc/nginx/conf.d/*.conf;"), "conf.d/a.conf": pool}
    (config,) = read(written)
    ((code, severity, problem),) = [(hit.code, hit.severity, hit.args["problem"]) for hit in config.hits]
    assert (code, severity) == ("E10", "warning")
    assert problem.endswith(", if `include /etc/nginx/conf.d/*.conf` takes in conf.d/a.conf")


@pytest.mark.parametrize(
    "written",
    [
        {"nginx.conf": "upstream a { server 10.0.0.1; } include conf.d/*.conf;", "conf.d/a.conf": "ONE"},
        {"nginx.conf": "include /etc/nginx/conf.d/*.conf;", "conf.d/a.conf": "ONE ONE"},
    ],
)
def test_a_certain_duplicate_is_an_error(read, written):
    one = "upstream a { server 10.0.0.1; }"
    texts = {name: text.replace("ONE", one) for name, text in written.items()}
    (config,) = read({**texts, "nginx.conf": http(texts["nginx.conf"])})
    assert [(hit.code, hit.severity) for hit in config.hits] == [("E10", None)]


def test_a_servers_path_is_found_under_root(read):
    written = {
        "x/nginx.conf": http("include /etc/nginx/up.conf;"),
        "copy/etc/nginx/up.conf": "upstream a { server 10.0.0.1; }",
    }
    configs = read(written, only=["x/nginx.conf"], root="copy")
    assert [pool.name for pool in configs[0].pools] == ["a"]


def test_what_is_on_the_server_alone_opens_the_config(read):
    config = read({"nginx.conf": http("include /etc/nginx/sites/*.conf;\ninclude /etc/nginx/mime.types;")})[0]
    assert config.hits == []
    assert config.open is not None
    assert len(config.unmodelled) == 1


def test_a_package_file_is_no_gap(read):
    config = read({"nginx.conf": http("include mime.types;\ninclude /etc/nginx/modules-enabled/*.conf;")})[0]
    assert (config.hits, config.open, config.unmodelled) == ([], None, [])


def test_a_pattern_that_matches_nothing_is_no_gap(read):
    config = read({"nginx.conf": http("include sites/*.conf;")})[0]
    assert (config.hits, config.open, config.unmodelled) == ([], None, [])


def test_globs_come_in_order_of_bytes(read):
    written = {"nginx.conf": http("include c/*.conf;")}
    written.update({f"c/{name}.conf": f"upstream {name} {{ server 10.0.0.1; }}" for name in ("b", "B", "a", "10", "9")})
    assert [pool.name for pool in read(written)[0].pools] == ["10", "9", "B", "a", "b"]


def test_a_file_in_two_places_is_judged_in_both(read):
    written = {
        "nginx.conf": http("server { location /a { include p.conf; } location /b { include p.conf; } }"),
        "p.conf": "proxy_pass http://10.0.0.1;\n",
    }
    config = read(written)[0]
    assert [route.label for route in config.frontends[0].routes] == ["location /a", "location /b"]
    assert {route.span.path for route in config.frontends[0].routes} == {"p.conf"}
    scopes = [scope for scope in config.tree.walk() if scope.path[-1:] == ("location",)]
    assert [scope.find("proxy_pass") for scope in scopes] == [scopes[0].find("proxy_pass")] * 2
    assert [via[-1].name for scope in scopes for via in scope.vias] == ["include", "include"]


@pytest.mark.parametrize(
    "written",
    [
        {"nginx.conf": "events {}\ninclude nginx.conf;\n"},
        {"nginx.conf": http("include a.conf;"), "a.conf": "include b.conf;", "b.conf": "include a.conf;"},
        {"nginx.conf": "events {}\ninclude *.conf;\n"},
    ],
)
def test_cycles(read, written):
    configs = read(written, only=["nginx.conf"])
    assert [hit.code for hit in configs[0].hits] == ["E05"]


def test_a_file_outside_is_not_opened(read, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.conf"
    secret.write_text("server { listen 1; }")
    config = read({"nginx.conf": http(f"include {secret};")})[0]
    assert config.frontends == []
    assert len(config.unmodelled) == 1
    assert config.hits == []


def test_a_fragment_takes_its_includes_from_a_folder_above(read):
    written = {
        "sites-available/status": "server { listen 81; include common/acl.conf; location /s { stub_status; } }",
        "common/acl.conf": "allow 127.0.0.1; deny all;",
    }
    (config,) = read(written, ["sites-available/status"])
    assert [admin.protected for admin in config.admins] == ["acl"]
    (alone,) = read({"x/sites-available/status": written["sites-available/status"]})
    assert [admin.protected for admin in alone.admins] == ["acl"]


def test_fragments_of_a_folder_are_one_open_config(read):
    written = {
        "conf.d/app.conf": "upstream app { server 10.0.0.1; }\n",
        "conf.d/site.conf": "server { listen 80; location / { proxy_pass http://app; } }\n",
    }
    (config,) = read(written)
    assert config.open is not None
    assert config.workers is None
    assert config.frontends[0].routes[0].targets[0].pool is config.pools[0]


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("upstream a { server 10.0.0.1; }", ("http",)),
        ("server { listen 80; location / {} }", ("http",)),
        ("server { listen 53 udp; proxy_pass 10.0.0.1:53; }", ("stream",)),
        ("location / { root /srv; }", ("http", "server")),
        ("proxy_set_header Host $host;", ("http", "server", "location")),
        ("server 10.0.0.1;\nserver 10.0.0.2;", ("http", "upstream")),
    ],
)
def test_the_context_of_a_fragment(text, context):
    assert context_of_fragment(parse(Source("x.conf", text))) == context


def test_a_lone_location_makes_no_listener(read):
    config = read({"snippets/api.conf": "location /api { proxy_pass http://10.0.0.1; }\n"})[0]
    assert config.frontends[0].listeners == []
    assert [route.label for route in config.frontends[0].routes] == ["location /api"]


DUMP = """# configuration file /etc/nginx/nginx.conf:
events {}
http {
    include /etc/nginx/conf.d/*.conf;
    include mime.types;
}

# configuration file /etc/nginx/conf.d/a.conf:
server { location / { proxy_pass http://app; } }
# configuration file /etc/nginx/conf.d/b.conf:
upstream app { server 10.0.0.1; server 10.0.0.2 weight=0; }
# configuration file /etc/nginx/mime.types:
types { text/html html; }
"""


def test_a_dump_is_one_config(read):
    (config,) = read({"dump.conf": DUMP})
    assert files_of(config) == ["dump.conf"]
    assert config.open is None
    assert config.frontends[0].routes[0].targets[0].pool is config.pools[0]
    assert [(hit.code, hit.span.path, hit.span.line) for hit in config.hits] == [("E09", "dump.conf", 11)]


@pytest.mark.parametrize(
    ("text", "is_nginx"),
    [
        ("events {}\nhttp {}\n", True),
        ("upstream {{ name }} {\n}\n", True),
        ("proxy_set_header Host $host;\nproxy_http_version 1.1;\n", True),
        ("fastcgi_param  QUERY_STRING       $query_string;\n", True),
        ("Port 22\nPermitRootLogin no\nMatch User git\n    ForceCommand x;\n", False),
        ("[metadata]\nname = x\n[options]\npackages = find:\n", False),
        ("[Unit]\nDescription=x\n[Service]\nExecStart=/bin/x; y\n", False),
        ("[program:web]\ncommand=/bin/x\n", False),
        ("<VirtualHost *:80>\n  ServerName x\n</VirtualHost>\n", False),
        (
            "global\n    daemon\nfrontend web\n    bind :80\nbackend app\n    server a 10.0.0.1:80\n",
            False,
        ),
        ("{% for server in ntp %}\nserver {{ server }} iburst\n{% endfor %}\n", False),
        ("sub x {\n    return 1 if $a;\n}\nmy $b = 2;\nreturn do $b;\n", False),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    listen 80;\n", False),
        ("#include <stdio.h>\nint main(void) { return 0; }\n", False),
        ('options { directory "/var"; };\nzone "." { type hint; };\n', False),
        ("# Akka\nhttp {\n  server {\n    max-length = 2k\n    timeout: 5s\n  }\n}\n", False),
        ('upstream "local" {\n  default = true;\n  hosts = "rspamd:11333"\n}\n', False),
        ("FROM nginx\nRUN cat > /etc/nginx/conf.d/a.conf <<EOF\nserver {\n  listen 80;\n}\nEOF\n", False),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    server {\n      listen 80;\n    }\n", False),
        ("server {\n  listen 80;\n  location = /x {\n    return 204;\n  }\n}\n", True),
        ("server {\n  set_by_lua_block $a {\n    local b = 1\n    local c = 2\n    return b + c\n  }\n}\n", True),
        ("log_format a 'x: $host\n  y: $uri\n  z: $args';\nserver {\n  listen 80;\n}\n", True),
        ("", False),
        ("\x7fELF\x02\x01\x01\x00", False),
    ],
)
def test_recognises(text, is_nginx):
    assert nginx.recognises(Source("x.conf", text)) is is_nginx


def test_references():
    text = 'http { include conf.d/*.conf; include "/etc/nginx/a b.conf"; }\n  include x;\n# no_include y;\n'
    assert nginx.references(Source("x.conf", text))[0] == "conf.d/*.conf"
    assert "x" in nginx.references(Source("x.conf", text))
