"""Code is not run unless the user trusts the config: what counts as code, and what does not."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import proxies
import pytest
from cli.running import lbcheck
from rehearsal.configs import haproxy, nginx
from rehearsal.running import configs, rehearsed
from rehearsal.sandboxes import needs_sandbox

from lbcheck import project
from lbcheck.project import Request
from lbcheck.rehearsal.proxies.haproxy import adapter as haproxy_proxy
from lbcheck.rehearsal.proxies.nginx import adapter as nginx_proxy

PREPARE = {"nginx": nginx_proxy.prepare, "haproxy": haproxy_proxy.prepare}
REFUSED = {
    "a module of one's own": ("nginx.conf", "load_module /srv/evil.so;\nevents {}\nhttp {}"),
    "a module through the system's folder": (
        "nginx.conf", "load_module /usr/lib/nginx/modules/../../../../srv/evil.so;\nevents {}\nhttp {}"),
    "a module, relative": ("nginx.conf", "load_module ../evil.so;\nevents {}\nhttp {}"),
    "Lua": nginx('    server { location / { content_by_lua_block { os.execute("id") } } }'),
    "Lua of a file": nginx("    init_by_lua_file /srv/a.lua;"),
    "Lua's path": nginx('    lua_package_path "/srv/?.lua";'),
    "Perl": nginx("    perl_set $x 'sub { system(\"id\") }';"),
    "njs": nginx("    js_import main from /srv/a.js;"),
    "njs in a stream": nginx("    server { js_content main.hello; }"),
    "Passenger": nginx("    server { passenger_enabled on; passenger_ruby /srv/ruby; }"),
    "a program of the RTMP module": nginx("    server { exec_push /bin/sh; }"),
    "an engine": ("nginx.conf", "ssl_engine ../../../srv/evil;\nevents {}\nhttp {}"),
    "an engine's key": nginx("    server { ssl_certificate a.pem; ssl_certificate_key engine:evil:x; }"),
    "an engine's key by a variable": nginx("    map $host $key { default ENGINE:evil:x; }"),
    "a provider's key": nginx('    server { location / { proxy_ssl_certificate_key "store:pkcs11:x"; } }'),
    "the loader": ("nginx.conf", "env LD_PRELOAD=/srv/evil.so;\nevents {}\nhttp {}"),
    "OpenSSL's config": ("nginx.conf", "env OPENSSL_CONF=/srv/evil.cnf;\nevents {}\nhttp {}"),
    "a config that includes itself": nginx("    include nginx.conf;"),
    "code behind what cannot be read": nginx('    server { return 200 "a"b; }\n}\nload_module /srv/evil.so;'),
    "an external check": haproxy("backend b\n    option external-check\n    external-check command /bin/sh\n"),
    "external checks allowed": haproxy("global\n    external-check\n"),
    "forks": haproxy("global\n    insecure-fork-wanted\n"),
    "Lua in HAProxy": haproxy("global\n    lua-load /srv/a.lua\n"),
    "Lua's path in HAProxy": haproxy("global\n    lua-prepend-path /srv/?.lua\n"),
    "a program": haproxy("program shell\n    command /bin/sh\n"),
    "an engine in HAProxy": haproxy("global\n    ssl-engine evil\n"),
    "a provider in HAProxy": haproxy("global\n    ssl-provider-path /srv\n    ssl-provider evil\n"),
    "the loader in HAProxy": haproxy("global\n    setenv LD_PRELOAD /srv/evil.so\n"),
    "the loader, if unset": haproxy("global\n    presetenv LD_AUDIT /srv/evil.so\n"),
    "a keyword out of a variable": haproxy('global\n    setenv A lua-load\n    "$A" /srv/a.lua\n'),
    "a section out of a variable": haproxy('global\n    setenv A program\n"$A" shell\n    command /bin/sh\n'),
    "an option out of a variable": haproxy('global\n    setenv A external-check\nbackend b\n    option "$A"\n'),
    "a plugin": haproxy("frontend f\n    filter opentracing config /srv/ot.cfg\n"),
}  # fmt: skip
ALLOWED = {
    "a module of the system": ("nginx.conf", "load_module modules/ngx_stream_module.so;\nevents {}\nhttp {}"),
    "a module of the system, by its path": (
        "nginx.conf", "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\nevents {}\nhttp {}"),
    "a variable of the environment": ("nginx.conf", "env TZ;\nenv PERL5LIB;\nenv APP=x;\nevents {}\nhttp {}"),
    "a word in a comment": nginx("    # load_module /srv/evil.so;\n    # content_by_lua_block { }"),
    "words that look like it": nginx('    upstream lua { server 10.0.0.1; }\n    log_format x "engine:";'),
    "variables": haproxy('global\n    setenv APP 10.0.0.1\nbackend b\n    server a "${APP}:80"\n'),
    "names": haproxy("backend lua-load\n    server external-check 10.0.0.1:80\n"),
}  # fmt: skip


def prepared(folder, case):
    (config,) = configs(folder, case)
    return PREPARE[config.dialect](config, "proxy")


@pytest.mark.parametrize("name", REFUSED)
def test_code_is_refused(name, tmp_path):
    made = prepared(tmp_path, REFUSED[name])
    assert made.refused
    assert all(place.startswith(str(tmp_path)) for place in made.refused)


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_no_code_is_not_refused(name, tmp_path):
    assert prepared(tmp_path, ALLOWED[name]).refused == []


def test_no_file_of_the_config_takes_the_place_of_a_module(tmp_path):
    """An include by an absolute path is looked for by its end: it could put a file where modules are allowed."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "evil.conf").write_text("gzip on;\n")
    (tmp_path / "nginx.conf").write_text(nginx("    include /usr/lib/nginx/modules/evil.conf;")[1])
    (config,) = project.configs(project.prepare(Request((str(tmp_path),))))
    assert len(config.files) == 2
    made = nginx_proxy.prepare(config, "proxy")
    assert not any(path.startswith("/usr/") for path in made.files)
    assert made.refused


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a namespace in which he may not make another one")
@needs_sandbox
@proxies.needs_nginx
def test_where_no_sandbox_can_be_made_it_says_what_to_change(tmp_path):
    """Here a root who has nobody to become, and no namespaces to make."""
    (tmp_path / "nginx.conf").write_text(nginx("    server { listen 80; return 200; }")[1])
    forbidden = ["unshare", "--user", "--map-root-user", "sh", "-c",
                 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"]  # fmt: skip
    found = lbcheck(tmp_path, "rehearse", ".", before=forbidden)
    assert found.returncode == 0, found.stdout
    assert "rewritten, not run as it is" in found.stdout
    assert "allow user namespaces: sysctl -w user.max_user_namespaces=" in found.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="everybody else is an ordinary user already")
@needs_sandbox
@proxies.needs_nginx
def test_an_ordinary_user_has_a_sandbox_too():
    """With a Python that everybody may run: root's own may lie where nobody else looks."""
    python = os.path.realpath("/usr/bin/python3")
    if not python.endswith(f"{sys.version_info.major}.{sys.version_info.minor}"):
        pytest.skip("no Python of this version in /usr/bin")
    packages = os.pathsep.join([str(Path(__file__).parents[2]), sysconfig.get_path("purelib")])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "nginx.conf").write_text(nginx("    server { listen 80; return 200; }")[1])
        os.chown(folder, 12345, 12345)
        done = subprocess.run(
            [python, "-m", "lbcheck", "rehearse", "--only-native", folder],
            capture_output=True,
            text=True,
            check=False,
            user=12345,
            group=12345,
            extra_groups=[],
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": packages},
        )
    assert (done.returncode, "nginx accepts it" in done.stdout) == (0, True), done.stderr


@needs_sandbox
@proxies.needs_haproxy
def test_trusted_code_runs(tmp_path):
    (tmp_path / "a.lua").write_text('core.register_service("hi", "http", function(applet) end)\n')
    text = f"global\n    lua-load {tmp_path}/a.lua\n"
    text += "listen web\n    mode http\n    bind :80\n    http-request use-service lua.hi\n"
    assert "--trust-config" in rehearsed(tmp_path, ("haproxy.cfg", text), only_native=True).error
    found = rehearsed(tmp_path, ("haproxy.cfg", text), only_native=True, trusted=True)
    assert (found.accepted, found.error) == (True, None), found.native
