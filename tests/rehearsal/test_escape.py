"""Configs that try to get out of the sandbox: nothing of this machine is reached, read or written."""

from __future__ import annotations

import json
import os
import shutil

import proxies
import pytest
from cli.running import lbcheck
from rehearsal.canaries import SECRET, Canaries, state
from rehearsal.configs import nginx
from rehearsal.running import rehearsed
from rehearsal.sandboxes import needs_sandbox
from rehearsal.traced import Traced

pytestmark = [proxies.needs_nginx, proxies.needs_haproxy, needs_sandbox]

NGINX = """\
error_log syslog:server={address}:{port};
error_log {outside}/log.txt debug;
error_log /etc/passwd debug;
error_log /dev/shm/lbcheck-escape debug;
pid {outside}/victim.txt;
lock_file /var/tmp/lbcheck-escape.lock;
working_directory {outside};
events {{ }}
http {{
    access_log syslog:server=unix:{datagram};
    access_log {outside}/access.txt;
    resolver {address}:{port} 127.0.0.1:{port};
    resolver_timeout 500ms;
    include {outside}/secret.conf;
    include link/secret.conf;
    include /etc/shadow*;
    proxy_cache_path {outside}/cache keys_zone=z:1m;
    client_body_temp_path {outside}/body;
    server {{ listen unix:/var/run/lbcheck-escape.sock; listen unix:{outside}/listen.sock; return 200; }}
    server {{
        listen 8080;
        auth_basic_user_file {outside}/secret.conf;
        root /;
        location /a {{ proxy_pass http://{address}:{port}; proxy_store {outside}/stored; }}
        location /u {{ proxy_pass http://unix:{stream}; }}
        location /n {{ set $n somewhere.example.com; proxy_pass http://$n:{port}; }}
        location /i {{ set $n {address}; proxy_pass http://$n:{port}; }}
        location / {{ proxy_pass http://app; }}
    }}
    upstream app {{ server 127.0.0.1:{port}; server 10.0.0.1:80; }}
}}
"""
HAPROXY = """\
global
    log {address}:{port} local0
    log {datagram} local0
    log /dev/log local0
    stats socket {outside}/admin.sock mode 600 level admin expose-fd listeners
    stats socket ipv4@{address}:9999 level admin
    pidfile {outside}/victim.txt
    server-state-file {outside}/secret.conf
    chroot {outside}
    user root
defaults
    mode http
    log global
    option httplog
    timeout connect 200ms
    timeout client 1s
    timeout server 1s
resolvers there
    nameserver real {address}:{port}
    nameserver tcp tcp@{address}:{port}
mailers there
    mailer real {address}:{port}
peers there
    peer other {address}:{port}
ring buffer
    size 32768
    server real {address}:{port}
    backing-file {outside}/ring
frontend web
    bind :8080
    bind unix@/var/run/lbcheck-escape.sock
    bind {outside}/listen.sock user root mode 777
    errorfile 503 {outside}/secret.conf
    http-request set-map({outside}/victim.txt) a b if FALSE
    use_backend out if {{ path_beg /a }}
    default_backend app
backend out
    email-alert mailers there
    email-alert from a@example.com
    email-alert to a@example.com
    server tcp {address}:{port} check
    server unix {stream} check
    server name somewhere.example.com:{port} check resolvers there init-addr none
backend app
    server a 127.0.0.1:{port} check
    server b 10.0.0.1:80 check port {port}
"""
CASES = {"nginx.conf": NGINX, "haproxy.cfg": HAPROXY}


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir(mode=0o755)
    (folder / "secret.conf").write_text(f"{SECRET} on;\n")
    (folder / "victim.txt").write_text("of the user\n")
    tmp_path.chmod(0o755)
    return folder


def written(folder, outside, canaries, name, address):
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    paths = {kind: canaries.path(kind) for kind in ("stream", "datagram")}
    (folder / name).write_text(CASES[name].format(address=address, port=canaries.port, outside=outside, **paths))
    return folder


def machine():
    """Return the files of this machine that the configs try to write to."""
    return state("/etc/passwd", "/dev/log", "/run/lbcheck-escape.sock", "/dev/shm/lbcheck-escape",
                 "/var/tmp/lbcheck-escape.lock", "/proc/sys/kernel/core_pattern")  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/1/fd/1", "/proc/1/mem", "/dev/mem", "/dev/kmsg"],
)
def test_no_log_is_written_to_the_kernel_or_to_lbcheck(path, tmp_path):
    before = machine()
    found = rehearsed(tmp_path, nginx(f"    access_log {path};\n    server {{ listen 80; return 200; }}"))
    assert machine() == before
    if path.startswith("/proc/"):
        assert not found.accepted
        assert any(f'open() "{path}" failed (' in said.text for said in found.native)


@pytest.mark.parametrize("name", CASES)
def test_nothing_outside_is_reached_read_or_written(name, tmp_path, outside):
    with Canaries(outside) as canaries:
        for address in canaries.addresses:
            folder = written(tmp_path / f"config-{address}", outside, canaries, name, address)
            before = state(outside, folder), machine()
            found = lbcheck(folder, "rehearse", "--output-format", "json", "--no-losses", ".")
            (config,) = json.loads(found.stdout)["configs"]
            assert (config["accepted"], config["error"]) == (True, None), found.stdout
            assert canaries.reached() == []
            assert (state(outside, folder), machine()) == before
            assert SECRET not in found.stdout + found.stderr


def test_no_process_of_it_touches_this_machine(tmp_path, outside):
    """By the system calls of all its processes: sockets and files are opened in namespaces of their own only."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    with Canaries(outside) as canaries:
        for name in CASES:
            folder = written(tmp_path / name.partition(".")[0], outside, canaries, name, canaries.addresses[-1])
            traced = Traced(tmp_path / f"trace-{name}", folder, "rehearse", "--no-losses", ".")
            assert traced.inside > 3
            assert traced.strays == []


def test_a_socket_or_pipe_of_its_own_folder_answers_nobody(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with Canaries(tmp_path) as canaries:
        (tmp_path / "haproxy.cfg").write_text(
            f"frontend web\n    mode http\n    bind :80\n    http-request deny if {{ path -f {tmp_path}/pipe }}\n"
            f"    default_backend b\nbackend b\n    mode http\n    server a unix@{canaries.path('stream')}\n"
        )
        found = lbcheck(tmp_path, "rehearse", "--output-format", "json", "--no-losses", ".")
        assert json.loads(found.stdout)["configs"][0]["accepted"], found.stdout
        assert canaries.reached() == []
