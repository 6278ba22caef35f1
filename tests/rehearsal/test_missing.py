"""What the proxies say of files and names that live on the server, and what is put in their place."""

from __future__ import annotations

import os

import proxies
import pytest
from rehearsal.configs import haproxy, nginx
from rehearsal.running import rehearsed, told
from rehearsal.sandboxes import needs_sandbox

from lbcheck.rehearsal.preparing.missing import missing, unmakeable

PEM = "the certificate"
BIND = "[ALERT]    (7) : config : parsing [/etc/haproxy/haproxy.cfg:7] : 'bind :443' in section 'frontend' : "


def files(line, known=(), folders=()):
    return missing(line, lambda: PEM, {*known}, folders).files


@pytest.mark.parametrize(
    ("line", "made"),
    [
        (
            f"{BIND}unable to stat SSL certificate from file '/etc/haproxy/certs/' : No such file or directory.",
            {"/etc/haproxy/certs/lbcheck-rehearsal.pem": PEM},
        ),
        (
            f"{BIND}unable to stat SSL certificate from file 'certs/' : No such file or directory.",
            {f"{os.getcwd()}/certs/lbcheck-rehearsal.pem": PEM},
        ),
        (
            f"{BIND}unable to stat SSL certificate from file '/etc/haproxy/site.pem' : No such file or directory.",
            {"/etc/haproxy/site.pem": PEM},
        ),
        (
            f"{BIND}'crt-list' : cannot open file '/etc/haproxy/list' : No such file or directory",
            {"/etc/haproxy/list": "/run/lbcheck-rehearsal.pem\n", "/run/lbcheck-rehearsal.pem": PEM},
        ),
        (
            (
                "[ALERT]    (7) : config : Parsing [/etc/haproxy/haproxy.cfg:8]: failed to parse use_backend rule "
                "'%[req.hdr(host),map(/etc/haproxy/hosts.map,b)]' : failed to parse sample expression "
                "<req.hdr(host),map(/etc/haproxy/hosts.map,b)]> : invalid args in converter 'map' : failed to open "
                "pattern file </etc/haproxy/hosts.map>."
            ),
            {"/etc/haproxy/hosts.map": ""},
        ),
        (
            "[ALERT]    (7) : config : [haproxy.cfg:10] : 'server b/s1' : 'ca-file' : unable to load @system-ca.",
            {"/etc/ssl/certs/lbcheck-rehearsal.pem": PEM, "/etc/pki/tls/certs/lbcheck-rehearsal.pem": PEM},
        ),
        (
            (
                '2026/01/01 00:00:00 [emerg] 7#7: open() "/etc/nginx/geo.inc" failed (2: No such file or directory) in '
                "/etc/nginx/sites-enabled/default:3"
            ),
            {"/etc/nginx/geo.inc": ""},
        ),
        (
            (
                '2026/01/01 00:00:00 [emerg] 7#7: dlopen() "/usr/share/nginx/modules/x.so" failed '
                "(/usr/share/nginx/modules/x.so: cannot open shared object file: No such file or directory) in /n:1"
            ),
            {},
        ),
    ],
)
def test_what_is_put_in_its_place(line, made):
    assert files(line) == made


def test_what_was_made_up_is_not_made_up_again():
    line = '[emerg] 7#7: "/etc/nginx/ticket.key" must be 48 or 80 bytes in /etc/nginx/sites-enabled/default:4'
    assert files(line.replace("must", "cannot"), known=["/etc/nginx/ticket.key"]) == {}


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ('[emerg] 7#7: "/k" must be 48 or 80 bytes in /n.conf:4', "/k lives on its server"),
        ('[emerg] 7#7: dlopen() "/m/x.so" failed (…) in /n.conf:1', "the module /m/x.so is not installed"),
        ("[ALERT] (7) : config : Could not open no/spoe.cfg : No such file or directory", "a file that lives on its"),
        ('[emerg] 7#7: unknown directive "ubstream" in /k:4', None),
        ("[ALERT] (7) : config : 'lists/a.lst' : please supply 3 keys", "lists/a.lst lives on its server"),
        ("[ALERT] (7) : config : unknown keyword '/kind'", None),
        ("[ALERT] (7) : config : parsing [/k:4] : unknown keyword 'x'", None),
    ],
)
def test_a_check_that_speaks_of_the_server_says_nothing_of_the_config(output, reason):
    said = unmakeable(output, ["/k", "name.of.a.host", os.path.abspath("keyword"), os.path.abspath("lists/a.lst")])
    assert said is None if reason is None else said is not None and said.startswith(reason)


FILES = """\
frontend web
    bind :8443 ssl crt /etc/haproxy/certs/
    bind :8444 ssl crt-list /etc/haproxy/crt-list.txt
    bind :8445 ssl crt /etc/haproxy/one.pem tls-ticket-keys /etc/haproxy/tickets
    use_backend %[req.hdr(host),lower,map(/etc/haproxy/hosts.map,app)]
backend app
    server a1 10.0.0.1:443 ssl verify required ca-file @system-ca
"""


@needs_sandbox
@proxies.needs_haproxy
def test_haproxy_takes_what_is_made_up(tmp_path):
    found = rehearsed(tmp_path, haproxy(FILES), only_native=True)
    assert found.accepted, told(found)


@needs_sandbox
@proxies.needs_nginx
def test_a_module_that_is_not_here_is_no_fault_of_the_config(tmp_path):
    name, text = nginx("    upstream app { server 10.0.0.1; }")
    found = rehearsed(tmp_path, (name, "load_module modules/ngx_no_such_module.so;\n" + text), only_native=True)
    assert not found.accepted
    assert found.error is not None, told(found)
    assert found.error.endswith("ngx_no_such_module.so is not installed here")
