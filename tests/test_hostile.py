"""Hostile input is normal input: each case ends with a finding or a plain line; no traceback, no hang, no leak."""

# ruff: noqa: E501 - a case is a line

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


ROOT = Path(__file__).resolve().parent.parent
#: CPU seconds that one hostile input may cost, as the operating system counts them (not wall time: machines are shared).
LIMIT_SECONDS = 2.0

NGINX = "events {}\nhttp {\n    server {\n        listen 80;\n        location / { return 200; }\n    }\n}\n"
HAPROXY = (
    "defaults\n    mode http\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n"
    "frontend web\n    bind 127.0.0.1:80\n    default_backend app\nbackend app\n    server a 10.0.0.1:80 check\n"
)
NATIVE = "lbcheck: v1\n"
ENVOY = "static_resources:\n  clusters:\n"

Case = tuple["Callable[[Path], list[str]]", "set[int]", "str | None"]
CASES: dict[str, Case] = {}


def case(name: str, make: Callable[[Path], list[str]], exits: set[int], says: str | None = None) -> None:
    assert name not in CASES
    CASES[name] = (make, exits, says)


def put(name: str, content: str | bytes) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        (folder / name).write_bytes(data)
        return [name]

    return make


def tree(files: dict[str, str], *args: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        return list(args)

    return make


def special(build: Callable[[Path], None], *args: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        build(folder)
        return list(args)

    return make


def http(body: str) -> str:
    return f"events {{}}\nhttp {{\n{body}\n}}\n"


# Bytes that are no config.
case("empty nginx file", put("nginx.conf", ""), {0, 1, 3})
case("empty haproxy file", put("haproxy.cfg", ""), {0, 1, 3})
case("empty yaml file", put("lb.yaml", ""), {0, 1, 3})
case("only blanks and newlines", put("nginx.conf", " \n\t\n" * 1000), {0, 1, 3})
case("only comments", put("nginx.conf", "# nothing\n" * 1000), {0, 1, 3})
case("binary file", put("nginx.conf", bytes(range(256)) * 200), {1, 3})
case("executable's head", put("haproxy.cfg", b"\x7fELF\x02\x01\x01" + b"\0" * 4000), {1, 3})
case("NUL in nginx", put("nginx.conf", NGINX.replace("return 200", "return\x00200")), {0, 1})
case("NUL in haproxy", put("haproxy.cfg", HAPROXY.replace("10.0.0.1", "10.0\x00.0.1")), {0, 1})
case("NUL in native", put("lb.yaml", NATIVE + "pools: \x00\n"), {1})
case("BOM before nginx", put("nginx.conf", b"\xef\xbb\xbf" + NGINX.encode()), {1}, "E01")
case("BOM before haproxy", put("haproxy.cfg", b"\xef\xbb\xbf" + HAPROXY.encode()), {1}, "E01|E06")
case("BOM before native", put("lb.yaml", b"\xef\xbb\xbf" + NATIVE.encode()), {0, 1})
case("CRLF nginx", put("nginx.conf", NGINX.replace("\n", "\r\n")), {0})
case("CRLF haproxy", put("haproxy.cfg", HAPROXY.replace("\n", "\r\n")), {0, 1})
case("UTF-16 nginx", put("nginx.conf", NGINX.encode("utf-16")), {1, 3})
case("Latin-1 in a comment", put("nginx.conf", b"# caf\xe9\n" + NGINX.encode()), {0})
case("Latin-1 in a name", put("haproxy.cfg", HAPROXY.replace("backend app", "backend caf\udce9")), {0, 1})
case("no newline at the end", put("nginx.conf", NGINX.rstrip()), {0})
case("one line of a megabyte", put("nginx.conf", http("# " + "x" * 1_000_000)), {0, 1})
case("one word of a megabyte", put("nginx.conf", http("server { server_name " + "x" * 1_000_000 + "; }")), {0, 1})
case("a haproxy line of a megabyte", put("haproxy.cfg", HAPROXY + "    server b " + "x" * 1_000_000 + "\n"), {0, 1})
case("larger than the limit", put("nginx.conf", b"#" * (17 * 1024 * 1024)), {1}, "E04")

# Depth.
case("200,000 open braces", put("nginx.conf", "events {}\nhttp " + "{" * 200_000), {1}, "E0[14]")
case("200,000 close braces", put("nginx.conf", "events {}\n" + "}" * 200_000), {1}, "E01")
case("5,000 nested locations", put("nginx.conf", http("location /a {" * 5000 + "}" * 5000)), {1}, "E0[14]")
case("5,000 nested .if", put("haproxy.cfg", ".if 1\n" * 5000 + HAPROXY), {0, 1})
case("100,000 parentheses in a fetch", put("haproxy.cfg", HAPROXY + "    acl x " + "lower(" * 100_000 + "\n"), {0, 1})
case("100,000 open brackets in YAML", put("lb.yaml", NATIVE + "pools: " + "[" * 100_000), {1}, "E0[14]")
case("100,000 levels of YAML", put("lb.yaml", NATIVE + "a: {" * 100_000), {1}, "E0[14]")
case("alias bomb", put("lb.yaml", NATIVE + "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(97 + i)}: &{chr(97 + i)} [{','.join(['*' + chr(96 + i)] * 9)}]\n" for i in range(1, 15))), {1})  # fmt: skip
case("self-containing alias", put("lb.yaml", NATIVE + "pools: &a [*a]\n"), {1})
case(
    "huge integer",
    put("lb.yaml", NATIVE + "pools: [{name: a, servers: [{address: '10.0.0.1:80', weight: 1" + "0" * 5000 + "}]}]\n"),
    {1},
)
case(
    "tag that builds objects", put("lb.yaml", NATIVE + "pools: !!python/object/apply:os.system ['touch owned']\n"), {1}
)
case("duplicate keys", put("lb.yaml", NATIVE + "pools: []\npools: []\n"), {1}, "E10")
case("empty clusters of Envoy", put("envoy.yaml", ENVOY), {0, 1, 3})
case("brackets in Envoy", put("envoy.yaml", ENVOY + "  - " + "[" * 100_000), {1}, "E0[14]")
case("alias bomb in Envoy", put("envoy.yaml", ENVOY + "  - name: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"  - name: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))), {1}, "E04")  # fmt: skip
case("cluster that holds itself", put("envoy.yaml", ENVOY + "  - &a {name: b, load_assignment: *a}\n"), {1})
case("huge numbers in Envoy", put("envoy.yaml", ENVOY + "  - {name: a, type: STATIC, lb_policy: RING_HASH, "
     "ring_hash_lb_config: {minimum_ring_size: 1" + "0" * 5000 + "}}\n"), {1})  # fmt: skip
case("a ring of 8 million points", put("envoy.yaml", ENVOY + "  - {name: a, type: STATIC, lb_policy: RING_HASH, "
     "ring_hash_lb_config: {minimum_ring_size: 8388608}, load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: ["
     + ",".join(f"{{endpoint: {{address: {{socket_address: {{address: 10.0.0.{n}, port_value: 1}}}}}}}}" for n in range(9))
     + "]}]}}\n"), {0, 1})  # fmt: skip
case("priorities up to two billion", put("envoy.yaml", ENVOY + "  - {name: a, type: STATIC, load_assignment: "
     "{cluster_name: a, endpoints: [{priority: 2000000000, lb_endpoints: [{endpoint: {address: {socket_address: "
     "{address: 10.0.0.1, port_value: 1}}}}]}]}}\n"), {0, 1})  # fmt: skip
case(
    "escapes in an Envoy name",
    put("envoy.yaml", ENVOY + '  - {name: "\\e[31m::error::\\n::add-mask::x", typ: a}\n'),
    {1},
)
case("a table of Maglev of four billion", put("envoy.yaml", ENVOY + "  - {name: a, type: STATIC, lb_policy: MAGLEV, "
     "maglev_lb_config: {table_size: 4294967291}, load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: ["
     + ",".join(f"{{load_balancing_weight: {n + 1}, endpoint: {{address: {{socket_address: {{address: 10.0.0.{n}, port_value: 1}}}}}}}}" for n in range(9))
     + "]}]}}\n"), {0, 1})  # fmt: skip
case("10,000 YAML documents of Envoy", put("envoy.yaml", (ENVOY + "  - {name: a}\n---\n") * 10_000), {0, 1})
case("10,000 YAML documents", put("lb.yaml", (NATIVE + "---\n") * 10_000), {0, 1})
TRAEFIK = "[http.routers.a]\nservice = 'a'\nrule = "
case("100,000 open brackets in TOML", put("dynamic.toml", TRAEFIK + "[" * 100_000), {1}, "E0[14]")
case("key of 100,000 parts in TOML", put("dynamic.toml", TRAEFIK + "'x'\n" + "a." * 100_000 + "b = 1\n"), {1}, "E04")
case("100,000 brackets in a Traefik rule", put("dynamic.toml", TRAEFIK + "'" + "(" * 100_000 + "'\n"), {0, 1})
case(
    "Traefik rule of 20,000 alternatives",
    put("dynamic.toml", TRAEFIK + "'" + " || ".join(f"Host(`h{n}`) && Path(`/`)" for n in range(20_000)) + "'\n"),
    {0, 1},
)
case(
    "Traefik services in a circle",
    put(
        "dynamic.toml",
        TRAEFIK
        + "'Host(`a`)'\n"
        + "".join(f"[http.services.s{n}.mirroring]\nservice = 's{(n + 1) % 5000}'\n" for n in range(5000)),
    ),
    {0, 1},
)
case(
    "10,000 labels",
    put(
        "compose.yaml",
        "services:\n  a:\n    image: traefik\n    labels:\n"
        + "".join(f"      - traefik.http.routers.r{n}.rule=Host(`h{n}`)\n" for n in range(10_000)),
    ),
    {0, 1},
)
case(
    "label of 10,000 parts",
    put(
        "compose.yaml",
        "services:\n  a:\n    image: traefik\n    labels:\n      - traefik.http." + "a." * 10_000 + "b=c\n",
    ),
    {0, 1},
)
case(
    "label with a large index",
    put(
        "compose.yaml",
        "services:\n  a:\n    image: traefik\n    labels:\n      - traefik.http.routers.r.tls.domains[9999].main=c\n      - traefik.http.routers.r.tls.domains[99999999].main=c\n",
    ),
    {0, 1},
)

# Broken text.
case("unclosed nginx quote", put("nginx.conf", http('server { server_name "x; }')), {1}, "E01")
case("unclosed haproxy quote", put("haproxy.cfg", HAPROXY + '    http-request set-header x "y\n'), {1}, "E01")
case("trailing backslash in haproxy", put("haproxy.cfg", HAPROXY + "    server b 10.0.0.2:80 \\"), {1}, "E01")
case("100,000 unclosed quotes", put("nginx.conf", http("a '\n" * 100_000)), {1})
case("unclosed Lua block", put("nginx.conf", http("content_by_lua_block { if x then '")), {1})
case("Lua long brackets", put("nginx.conf", http("init_by_lua_block { x = [" + "=" * 50_000 + "[ }")), {0, 1})
case("unclosed variable", put("nginx.conf", http("server { set $a ${b; }")), {0, 1})
case("50,000 dollar signs", put("nginx.conf", http("server { set $a " + "$" * 50_000 + "; }")), {0, 1})
case(
    "template through and through",
    put("nginx.conf", "{% for x in y %}\nupstream {{ x }} { server {{ x.a }}; }\n{% endfor %}\n"),
    {0, 1, 3},
)

# Includes.
case("include of itself", tree({"nginx.conf": "events {}\ninclude nginx.conf;\n"}, "nginx.conf"), {1}, "E05")
case(
    "include in a ring",
    tree(
        {"nginx.conf": "events {}\nhttp { include a.conf; }", "a.conf": "include b.conf;", "b.conf": "include a.conf;"},
        "nginx.conf",
    ),
    {1},
    "E05",
)
case("glob that includes itself", tree({"nginx.conf": "events {}\ninclude *.conf;\n"}, "nginx.conf"), {1}, "E05")
case("include of /proc/self/environ", tree({"nginx.conf": http("include /proc/self/environ;")}, "nginx.conf"), {0})
case("include of /etc/passwd", tree({"nginx.conf": http("include /etc/passwd;")}, "nginx.conf"), {0})
case(
    "include upwards out of the root",
    tree({"nginx.conf": http("include ../../../../../../../etc/passwd;")}, "nginx.conf"),
    {0},
)
case("include of a folder", tree({"nginx.conf": http("include d;"), "d/x": ""}, "nginx.conf"), {0, 1})
case("include of /dev/zero", tree({"nginx.conf": http("include /dev/zero;")}, "nginx.conf"), {0})
case("include with NUL", put("nginx.conf", http("include a\x00b;")), {0, 1})
case(
    "include with a path of 100,000 characters",
    tree({"nginx.conf": http(f"include {'a/' * 50_000}x;")}, "nginx.conf"),
    {0, 1},
)
case("include that doubles twenty times", tree({"nginx.conf": http("include c0.inc;")} | {
    f"c{i}.inc": f"include c{i + 1}.inc;\ninclude c{i + 1}.inc;\n" for i in range(20)} | {"c20.inc": "# end\n"}, "nginx.conf"), {0, 1})  # fmt: skip
case("glob of many stars", tree({"nginx.conf": http(f"include {'*' * 500}a;"), "a" * 200: ""}, "nginx.conf"), {0, 1})
case(
    "map file out of the root",
    tree(
        {
            "haproxy.cfg": HAPROXY.replace(
                "default_backend app", "use_backend %[path,map(/etc/passwd)]\n    default_backend app"
            )
        },
        "haproxy.cfg",
    ),
    {0},
)


def link_out(folder: Path) -> None:
    (folder / "nginx.conf").write_text(http("include secret.conf;"))
    (folder / "secret.conf").symlink_to("/etc/passwd")


def link_loop(folder: Path) -> None:
    (folder / "a.conf").symlink_to("b.conf")
    (folder / "b.conf").symlink_to("a.conf")


def folder_loop(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX)
    (folder / "again").symlink_to(".")


def deep_folders(folder: Path) -> None:
    (folder / "/".join(["d"] * 400)).mkdir(parents=True)
    (folder / "nginx.conf").write_text(NGINX)


def no_permission(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX)
    (folder / "nginx.conf").chmod(0)


case("link out of the root", special(link_out, "nginx.conf"), {0})
case("links in a ring", special(link_loop, "a.conf"), {1, 2})
case("a folder that links to itself", special(folder_loop, "."), {0})
case("400 folders deep", special(deep_folders, "."), {0})
case("no permission to read", special(no_permission, "nginx.conf"), {0, 1})
case("named pipe", special(lambda folder: os.mkfifo(folder / "nginx.conf"), "nginx.conf"), {1}, "E03")
case("named pipe in a folder", special(lambda folder: os.mkfifo(folder / "nginx.conf"), "."), {1, 3})
case("include of a named pipe", special(
    lambda folder: (os.mkfifo(folder / "p.conf"), (folder / "nginx.conf").write_text(http("include *.conf;")))[0], "nginx.conf"), {0, 1})  # fmt: skip
case("/dev/zero", special(lambda _: None, "/dev/zero"), {1}, "E03")
case("/dev/tty", special(lambda _: None, "/dev/tty"), {1}, "E03")
case("a folder without configs", special(lambda _: None, "."), {3})
case("a path that does not exist", special(lambda _: None, "nowhere.conf"), {2})

# Numbers.
case(
    "nginx weight of 100 digits",
    put("nginx.conf", http(f"upstream a {{ server 10.0.0.1 weight={'9' * 100}; }}")),
    {1},
    "E09",
)
case(
    "nginx ring bomb",
    put(
        "nginx.conf",
        http(
            "upstream a { hash $uri consistent; server 10.0.0.1 weight=100000; server 10.0.0.2 weight=100000; }\nserver { location / { proxy_pass http://a; } }"
        ),
    ),
    {0, 1},
)
case(
    "haproxy template bomb", put("haproxy.cfg", HAPROXY + "    server-template s 1-200000 10.0.0.1:80 check\n"), {0, 1}
)
case(
    "haproxy template of a billion",
    put("haproxy.cfg", HAPROXY + "    server-template s 1-1000000000 10.0.0.1:80\n"),
    {0, 1},
)
case("haproxy template backwards", put("haproxy.cfg", HAPROXY + "    server-template s 9-1 10.0.0.1:80\n"), {0, 1})
case("haproxy port of 100 digits", put("haproxy.cfg", HAPROXY + f"    server b 10.0.0.2:{'9' * 100}\n"), {1})
case(
    "haproxy range of all ports",
    put("haproxy.cfg", HAPROXY.replace(":80\n    default", ":1-65535\n    default")),
    {0, 1},
)
case("time of 5,000 digits", put("haproxy.cfg", HAPROXY.replace("client 5s", f"client {'9' * 5000}s")), {1})
case(
    "digits that int() takes and nginx does not",
    put("nginx.conf", http("upstream a { server 10.0.0.1 weight=٣; }")),
    {0, 1},
)

# Injection through names.
FORGED = "app\x1b[2J\x1b]0;owned\x07\u202eevil\u2066"
case(
    "escape sequences in a name",
    put("nginx.conf", http(f'upstream "{FORGED}" {{ server 10.0.0.1:80 weight=10; server 10.0.0.2:80; }}')),
    {0, 1},
)
case(
    "escape sequences in a file name", put("ev\x1b[31mil.conf", NGINX.replace("listen 80", "listen 80 80 zzz")), {0, 1}
)
case("a CI command in a file name", put("x\n::error::forged.conf", http("server { listen 80 80 zzz; }")), {0, 1})
case(
    "format placeholders in a name",
    put("nginx.conf", http("upstream {0.__class__} { }\nserver { listen {x}; }")),
    {0, 1},
)
case(
    "format placeholders in a server",
    put("haproxy.cfg", HAPROXY + "    server {0.__class__} 10.0.0.1:80 check\n"),
    {0, 1},
)
case("suppression without end", put("nginx.conf", "# lbcheck: ignore[" * 20_000 + "\n" + NGINX), {0, 1})
case(
    "regular expression that would explode",
    put("nginx.conf", http("server { location ~ ^(a+)+$ { return 200; }\nlocation ~ ^(a+)+b$ { return 200; } }")),
    {0, 1},
)
case(
    "bad regular expression",
    put(
        "haproxy.cfg",
        HAPROXY.replace("default_backend app", "use_backend app if { path_reg ((( }\n    default_backend app"),
    ),
    {0, 1},
)
case(
    "password in a broken line",
    put(
        "haproxy.cfg", HAPROXY + "    stats auth admin:hunter2 extra words\n    stats admin if TRUE\n    stats enable\n"
    ),
    {0, 1},
)
case("settings that are no TOML", tree({"nginx.conf": NGINX, "lbcheck.toml": "= ["}, "nginx.conf"), {2})
case("settings that are a link out", special(
    lambda folder: ((folder / "nginx.conf").write_text(NGINX), (folder / "lbcheck.toml").symlink_to("/etc/passwd"))[1], "nginx.conf"), {0, 1, 2})  # fmt: skip


def run(folder: Path, args: list[str], *options: str) -> tuple[int, str, float]:
    """Run `lbcheck check` in a folder; return its exit code, everything it printed, and its CPU seconds."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "lbcheck", "check", *options, *args],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HUNTED_SECRET": "hunter2", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
    )
    after = os.times()
    printed = (done.stdout + done.stderr).decode("utf-8", "strict")
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return done.returncode, printed, spent


@pytest.mark.parametrize("name", CASES)
def test_hostile(name, tmp_path):
    make, exits, says = CASES[name]
    folder = tmp_path / "scanned"
    folder.mkdir()
    (folder / ".git").mkdir()
    args = make(folder)
    code, printed, spent = run(folder, args, "--output-format", "concise")
    assert "Traceback" not in printed
    assert "E00" not in printed, printed
    assert code in exits, printed
    assert spent < LIMIT_SECONDS, f"{spent:.2f} s"
    assert "hunter2" not in printed
    assert "root:x:" not in printed
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed), printed
    assert not re.search(r"^::", printed, re.MULTILINE)
    assert says is None or re.search(says, printed), printed
    assert not (folder / "owned").exists()


def test_there_are_enough_cases():
    assert len(CASES) >= 60
