"""Rehearsals without namespaces: rewritten for loopback and a private folder, or refused; nothing else is touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

import proxies
import pytest
from rehearsal.configs import CASES, FURTHER, haproxy, nginx
from rehearsal.processes import adopting, below
from rehearsal.running import configs
from rehearsal.sandboxes import needs_sandbox

from lbcheck.cli.rehearse import reread
from lbcheck.rehearsal import rewritten
from lbcheck.rehearsal.planning.wishes import Wishes
from lbcheck.rehearsal.play.proxy import taken

__all__ = ["adopting"]
pytestmark = [proxies.needs_nginx, proxies.needs_haproxy]

#: Cases with unix sockets, checks at ports of their own, or files of the server, which are refused.
REFUSED = {
    "nginx, random, and a unix socket", "nginx, two workers' zone and slow timeouts",
    "haproxy, checks that expect something", "haproxy, PROXY protocol, stick table, unix socket",
    "nginx, certificates that it verifies by name", "haproxy, certificates that it verifies by name",
    "haproxy, by name in TLS, cookie and address", "haproxy, from an address of its own",
    "nginx, from an address of its own", "nginx, pools of a map",
}  # fmt: skip
NAMES = [
    *(name for name in CASES if name not in REFUSED),
    *(pytest.param(name, marks=pytest.mark.soak) for name in FURTHER if name not in REFUSED),
]
POOL = "    upstream app { server 10.0.0.1:80; server 10.0.0.2:80; }\n"
PASS = "location / { proxy_pass http://app; }"
LISTEN = "listen app\n    bind :8080\n    server a 10.0.0.1:80\n    server b 10.0.0.2:80\n"


def rehearsed(folder, case, **wishes):
    (config,) = configs(folder, case)
    return rewritten.rehearse(config, Wishes(losses=False, **wishes), reread, "a test")


@pytest.fixture
def shared():
    """A folder that every user may enter, with a temporary folder for lbcheck in it that everybody may write to."""
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    os.mkdir(f"{folder}/tmp")
    os.chmod(f"{folder}/tmp", 0o777)
    yield folder
    shutil.rmtree(folder)


def told(folder, binary):
    """Return a proxy that first tells who it runs as, in a file that everybody may write to."""
    path, users = f"{folder}/proxy", f"{folder}/users"
    with open(users, "w") as stream:
        os.chmod(users, 0o666)
    with open(path, "w") as stream:
        stream.write(f'#!/bin/sh\nid -u >> {users}\nexec {binary} "$@"\n')
    os.chmod(path, 0o755)
    return path, users


@pytest.mark.parametrize("name", NAMES)
def test_counted_as_predicted_for_what_was_rewritten(name, tmp_path):
    case, judged = {**CASES, **FURTHER}[name]
    found = rehearsed(tmp_path, case)
    assert found.accepted, found.native
    assert (found.error, found.rewritten) == (None, "a test")
    assert {pool.name: (pool.judged, pool.passed, pool.reason) for pool in found.pools} == {
        pool: (how, True, None) for pool, how in judged.items()
    }
    for pool in found.pools:
        assert pool.requests >= 200
        assert not pool.failed
        assert pool.path == str(tmp_path / case[0])
        assert pool.line > 5
        assert all(re.match(r"127\.\d+\.\d+\.\d+:\d+$", server.address) for server in pool.servers)
        assert len({server.address for server in pool.servers}) == len(pool.servers)
    assert os.listdir(tmp_path) == [case[0]]


@pytest.mark.parametrize("user", [None, pytest.param(1000, marks=needs_sandbox)])
@pytest.mark.parametrize(("name", "binary"), [
    ("nginx, hashes pick by pick", proxies.NGINX), ("haproxy, hashes pick by pick", proxies.HAPROXY),
])  # fmt: skip
def test_as_root_and_as_an_ordinary_user(user, name, binary, shared):
    case, _ = CASES[name]
    with open(f"{shared}/{case[0]}", "w") as stream:
        stream.write(case[1])
    before = () if user is None else ("unshare", "-U", f"--map-user={user}", f"--map-group={user}")
    proxy, users = told(shared, binary)
    done = lbcheck(shared, "--no-namespaces", "--binary", proxy, "--show-rewrites", case[0], before=before)
    assert (done.returncode, done.stderr) == (0, "")
    assert "rewritten, not run as it is (--no-namespaces)" in done.stdout
    assert "no server is lost" in done.stdout
    assert re.search(r":\d+: `.*10\.0\.0\.1:8.*` became `server .*127\.", done.stdout)
    with open(users) as stream:  # root never runs a proxy on the machine itself
        assert set(stream.read().split()) == {str(user or os.getuid() or 65534)}
    assert os.listdir(f"{shared}/tmp") == []


def lbcheck(folder, *args, before=()):
    command = [*before, sys.executable, "-m", "lbcheck", "rehearse", *args]
    known = {**os.environ, "TMPDIR": f"{folder}/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=known, check=False)


HTTP = [
    "include /etc/elsewhere/*.conf;",
    "resolver 192.0.2.1;",
    "proxy_cache_path /var/tmp/lbcheck-cache keys_zone=z:1m;",
    "auth_basic_user_file /etc/passwd;",
    "geoip_country /usr/share/GeoIP.dat;",
    "perl_modules /tmp;",
    "set_real_ip_from proxy.internal.test;",
    "map $uri $x { include /etc/passwd; }",
    "made_up_directive /etc/passwd;",
]
SERVER = [
    "listen unix:/run/lbcheck.sock;",
    "listen 8080 http3_made_up;",
    "proxy_bind 192.0.2.1;",
    "location /x { proxy_pass http://$host; }",
    "location /x { proxy_pass http://unix:/run/docker.sock; }",
    "location /x { proxy_pass http://app.$host; }",
    "location /x { fastcgi_pass 10.0.0.9:9000; }",
    "location /x { proxy_store /var/tmp/x; }",
    "location /x { proxy_ssl_verify on; }",
    "if (-f /etc/shadow) { return 404; }",
    "location /x { content_by_lua_block { os.execute('id') } }",
    "location /x { proxy_pass http://127.0.0.1:8080; }",
]
LINES = [
    "bind /run/lbcheck.sock",
    "bind fd@3",
    "bind :8081-8090",
    "bind :8443 ssl crt-list /etc/haproxy/list",
    "server c /run/docker.sock",
    "server c 10.0.0.3:80 resolvers dns",
    "server c 10.0.0.3:80 source 192.0.2.1",
    "server c 10.0.0.3:80 check port 81",
    "server c 10.0.0.3:80 agent-check agent-port 9",
    "server c 10.0.0.3",
    "server c 10.0.0.3:80 ssl ca-file /etc/ca.pem sni str(app.test)",
    "server c 127.0.0.1:8080",
    'server c "${ADDRESS}:80"',
    "server-template s 3 app.internal.test:80",
    "source 192.0.2.1",
    "acl x path -f /etc/passwd",
    "acl x src admin.internal.test",
    "acl x hdr_ip(x-real-ip) ADMIN",
    "http-request deny if { src -m ip admin.internal.test }",
    "use_backend %[path,map(/etc/passwd)]",
    "http-request set-header X %[path,map_beg(/etc/passwd,x)]",
    "http-request do-resolve(txn.ip,dns) hdr(host)",
    "http-request return status 200 file /etc/passwd",
    "http-request lua.x",
    "http-request use-service lua.x",
    "http-check connect addr 192.0.2.1",
    "tcp-check connect port 22",
    "option forwardfor except proxy.internal.test",
    "option external-check",
    "external-check command /bin/true",
    "email-alert mailers m",
    "filter spoe engine e config /etc/passwd",
    "stick-table type ip size 1k peers p",
    "made-up keyword",
]
SECTIONS = [
    "global\n    lua-load /tmp/x.lua",
    "global\n    setenv LD_PRELOAD /tmp/x.so",
    "global\n    made-up /etc/passwd",
    "resolvers dns\n    nameserver one 192.0.2.1:53",
    "peers p\n    peer me 192.0.2.1:1024",
    "mailers m\n    mailer one 192.0.2.1:25",
    "program p\n    command /bin/true",
    "ring r\n    backing-file /var/tmp/x",
    "frontend old 192.0.2.1:80",
    "log-forward x\n    bind :514",
]
HOSTILE = [
    *(nginx(f"    {line}\n{POOL}    server {{ listen 8080; {PASS} }}") for line in HTTP),
    *(nginx(f"{POOL}    server {{ listen 8080; {PASS} {line} }}") for line in SERVER),
    nginx(f"    upstream app {{ server unix:/run/x.sock; server 10.0.0.2; }}\n server {{ listen 80; {PASS} }}"),
    nginx(f"    upstream app {{ server app.test resolve; server 10.0.0.2; }}\n server {{ listen 80; {PASS} }}"),
    nginx("}\nstream {\n server { listen 53 udp; proxy_pass 10.0.0.1:53; }"),
    ("nginx.conf", "upstream app { server 10.0.0.1; }\nserver { listen 80; location / { proxy_pass http://app; } }\n"),
    *(haproxy(f"{LISTEN}    {line}\n") for line in LINES),
    *(haproxy(f"{section}\n{LISTEN}") for section in SECTIONS),
]


@pytest.mark.parametrize("case", HOSTILE, ids=range(len(HOSTILE)))
def test_what_may_reach_out_is_refused_and_nothing_is_started(case, shared, tmp_path):
    binary, users = told(shared, "/bin/false")
    found = rehearsed(tmp_path, case, binary=binary, trusted=True)
    assert found.error is not None
    assert "it cannot be rewritten safely" in found.error
    assert str(tmp_path / case[0]) in found.error
    assert not found.passed
    assert os.stat(users).st_size == 0


def test_the_base_of_the_refused_configs_is_not_refused(tmp_path):
    """Else the refusals above would say nothing."""
    for name, case in {"a": nginx(f"{POOL}    server {{ listen 8080; {PASS} }}"), "b": haproxy(LISTEN)}.items():
        found = rehearsed(tmp_path / name, case)
        assert found.passed, found


def test_words_reach_the_proxy_as_they_were(tmp_path):
    """Quotes, escapes and what is special in them: the proxy routes by them, and checks with them."""
    body = r"""
listen app
    bind :8080
    option forwardfor except 10.0.0.0/8
    option httpchk GET /health HTTP/1.1\r\nHost:\ it\'s\ me
    http-request set-header X-A "a # 'b' \"c\" {d} %[path]"
    acl here path_reg ^/(a|b)\\?\.\w+$ -i
    http-request deny if here { hdr(x) -m str 'two  blanks' }
    server a 10.0.0.1:80 check inter 200ms
    server b 10.0.0.2:80 check inter 200ms
"""
    found = rehearsed(tmp_path / "haproxy", haproxy(body))
    assert found.passed, found
    server = r"""
    map $http_x $y { default "a;b"; "~^\d{2}\"x\s" 'c # $uri'; }
    fastcgi_buffers 8 16k;
    log_format own '"$request" {\t} \\';
    server {
        listen 8080; server_name "~^(?<n>\w{1,3})\.test$";
        location ~ "^/[a-z]{3}\.php$" { proxy_set_header X "it's \"$y\""; proxy_pass http://app; }
    }"""
    found = rehearsed(tmp_path / "nginx", nginx(POOL + server))
    assert found.accepted, found.native
    assert found.error is None
    assert [pool.passed for pool in found.pools] in ([True], [None])


def test_messages_name_the_place_in_the_own_file(tmp_path):
    found = rehearsed(tmp_path / "n", nginx(f"{POOL}    server {{ listen 8080;\n\n{PASS}\n keepalive_timeout x; }}"))
    assert not found.accepted
    assert found.error is None
    (said,) = [one for one in found.native if one.line]
    assert said.path == str(tmp_path / "n" / "nginx.conf")
    assert (said.line, "keepalive_timeout" in said.text) == (12, True)
    found = rehearsed(tmp_path / "h", haproxy(f"{LISTEN}    balance made-up\n"))
    assert not found.accepted
    assert (str(tmp_path / "h" / "haproxy.cfg"), 17) in [(one.path, one.line) for one in found.native]


def test_only_the_native_check(tmp_path):
    found = rehearsed(tmp_path, haproxy(LISTEN), only_native=True)
    assert (found.passed, found.pools) == (True, ())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("name", ["nginx, hashes pick by pick", "haproxy, TCP, cookies, random"])
def test_killed_while_the_proxy_runs(how, name, shared, adopting):
    del adopting
    case, _ = CASES[name]
    with open(f"{shared}/{case[0]}", "w") as stream:
        stream.write(case[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "lbcheck", "rehearse", "--no-namespaces", case[0]],
        cwd=shared, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": f"{shared}/tmp"},
    )  # fmt: skip
    while not (lines := _listening(below(os.getpid()), case[0].split(".")[0])) and process.poll() is None:
        time.sleep(0.005)
    assert lines
    process.send_signal(how)
    process.wait(10)
    end = time.monotonic() + 2
    while (left := below(os.getpid()) or os.listdir(f"{shared}/tmp")) and time.monotonic() < end:
        time.sleep(0.02)
    assert left == []


def _listening(names, proxy):
    return proxy in names


@pytest.mark.parametrize("name", ["nginx, hashes pick by pick", "haproxy, names that do not exist, checked"])
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_nothing_but_loopback_and_the_folder_is_touched(name, shared):
    case, _ = CASES[name]
    with open(f"{shared}/{case[0]}", "w") as stream:
        stream.write(case[1])
    calls = "connect,bind,sendto,sendmsg,open,openat,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,chmod,fchmodat"
    strace = ("strace", "-f", "-qq", "-s", "256", "-o", f"{shared}/calls", "-e", f"trace={calls},chown,fchownat")
    done = lbcheck(shared, "--no-namespaces", "--requests", "50", case[0], before=strace)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(f"{shared}/calls") as stream:
        lines = stream.read().splitlines()
    assert sum("connect(" in line for line in lines) > 20
    assert [line for line in lines if not _harmless(line, f"{shared}/tmp/")] == []


def _harmless(line, folder):
    call = line.split(maxsplit=1)[1]
    if match := re.match(r"(?:connect|bind|sendto|sendmsg)\((.*)", call):
        address = re.search(r"inet_addr\(\"([^\"]+)\"|sun_path=\"([^\"]+)\"|inet_pton", match[1])
        return address is None or (address[1] or "").startswith("127.") or "/nscd/" in (address[2] or "")
    if re.match(r"open(?:at)?\(", call) and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", call):
        return True
    path = re.search(r"\"([^\"]*)\"", call)
    relative = path is not None and not path[1].startswith("/") and "unlinkat" in call  # by folder (shutil.rmtree)
    return path is None or relative or path[1].startswith((folder, "/dev/null", "/dev/tty"))


@needs_sandbox
@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_where_there_are_no_namespaces(shared):
    """A user namespace in which no further ones may be made stands for a locked-down machine."""
    for number, body in enumerate([LISTEN, f"{LISTEN}    bind /run/x.sock\n"]):
        with open(f"{shared}/{number}.cfg", "w") as stream:
            stream.write(haproxy(body)[1])
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" "$@"'
    before = ("unshare", "-Ur", "sh", "-c", forbid)
    done = lbcheck(shared, "0.cfg", "-o", "out.json", before=before)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "user.max_user_namespaces" in done.stdout
    with open(f"{shared}/out.json") as stream:
        (config,) = json.load(stream)["configs"]
    assert config["rewritten"] is True
    assert "user.max_user_namespaces" in config["rewritten_because"]
    assert any("127." in change["after"] for change in config["rewrites"])
    done = lbcheck(shared, "1.cfg", before=before)
    assert (done.returncode, "1.cfg:17: bind /run/x.sock cannot be put elsewhere" in done.stdout) == (2, True)


def test_a_place_that_is_taken_is_told_without_a_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        port = server.getsockname()[1]
        assert taken("127.0.0.1", port)
        with pytest.raises(TimeoutError):
            server.accept()
    assert not taken("127.0.0.1", port)


def test_the_folder_is_private(shared):
    """Nobody but its user looks into it while it is there: configs hold secrets."""
    wrapper = f"{shared}/look"
    with open(wrapper, "w") as stream:
        os.chmod(shared, 0o777)
        stream.write(f'#!/bin/sh\nstat -c %a .. > {shared}/mode\nexec {proxies.HAPROXY} "$@"\n')
    os.chmod(wrapper, 0o755)
    with open(f"{shared}/haproxy.cfg", "w") as stream:
        stream.write(haproxy(LISTEN)[1])
    assert lbcheck(shared, "--no-namespaces", "--binary", wrapper, "haproxy.cfg").returncode == 0
    with open(f"{shared}/mode") as stream:
        assert not int(stream.read(), 8) & (stat.S_IRWXO | stat.S_IWGRP | stat.S_IRGRP)
