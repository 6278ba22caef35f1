"""What haproxy refuses and what it accepts: ours against the real `haproxy -c`, one mistake at a time."""

from __future__ import annotations

import re

import pytest
from verdicts import CannotJudgeError, verdict

from lbcheck.dialects.haproxy import read_group
from lbcheck.dialects.haproxy.judgement import globals as settings
from lbcheck.files import DiskFiles

HEAD = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
#: Shapes into which one or more lines are put; the marker `# E09` stands on the line that must fire.
BACKEND = HEAD + "frontend f\n bind 127.0.0.1:18080\n default_backend a\nbackend a\n{}"
FRONTEND = HEAD + "backend b\n server s 127.0.0.1:80\nfrontend f\n bind 127.0.0.1:18080\n{}"

SERVERS = r"""
server s1 # E08
server s1 127.0.0.1 check # E14
server s1 127.0.0.1:0 check # E14
server s1 127.0.0.1:+1 check # E14
server s1 127.0.0.1:70000 # E09
server s1 127.0.0.1:http # E09
server s1 127.0.0.1:80-90 # E09
server s1 http://127.0.0.1:80 # E09
server s1 127.0.0.1,127.0.0.2:80 # E09
server s1 10.0.0.300:80 # E09
server s1 127.0.0.1:80 weight 257 # E09
server s1 127.0.0.1:80 weight -1 # E09
server s1 127.0.0.1:80 fall 0 # E09
server s1 127.0.0.1:80 fall # E08
server s1 127.0.0.1:80 rise x # E09
server s1 127.0.0.1:80 inter 0 # E09
server s1 127.0.0.1:80 inter 5x # E09
server s1 127.0.0.1:80 inter 1.5s # E09
server s1 127.0.0.1:80 inter 30d # E09
server s1 127.0.0.1:80 inter # E08
server s1 127.0.0.1:80 slowstart x # E09
server s1 127.0.0.1:80 cookie # E08
server s1 127.0.0.1:80 observe layer8 # E09
server s1 127.0.0.1:80 on-error x # E09
server s1 127.0.0.1:80 on-marked-down x # E09
server s1 127.0.0.1:80 on-marked-up x # E09
server s1 127.0.0.1:80 id 0 # E09
server s1 127.0.0.1:80 error-limit 0 # E09
server s1 127.0.0.1:80 chek # E06
server s1 127.0.0.1:80 check port # E08
server s1 127.0.0.1 check port x # E14
server s1 127.0.0.1:80 track # E08
server s1 127.0.0.1:80 track s2 # E11
server s1 127.0.0.1:80 track b/s2 # E11
server s1 127.0.0.1:80 track s1 # E14
server s1 127.0.0.1:80 ssl # E14
server s1 127.0.0.1:80 ssl verify required # E14
server s1 127.0.0.1:80 ssl verify foo # E09 E14
server s1 127.0.0.1:80 check check-ssl # E14
server s1 127.0.0.1:80 resolvers r # E11
server s1 127.0.0.1:80 sni # E08
server s1 127.0.0.1:80 resolve-prefer ipv5 # E09
server s1 127.0.0.1:80 ws foo # E09
server s1 127.0.0.1:80 proto fcgi # E14
server s/1 127.0.0.1:80 # E09
server-template s 3 # E08
server-template s 0 127.0.0.1:80 # E09
server-template s 3-1 127.0.0.1:80 # E09
server-template s x 127.0.0.1:80 # E09
default-server weight 300 # E09
use-server s1 # E08 E11
use-server s9 if TRUE # E11
"""

SETTINGS = r"""
mode foo # E09
mode health # E09
mode http x # E08
balance least_conn # E09
balance random(0) # E09
balance random(3 # E09
balance uri len x # E09
balance uri foo # E09
balance url_param # E08
balance hdr() # E08
balance hash # E08
hash-type foo # E09
hash-type consistent foo # E09
hash-type consistent sdbm foo # E09
hash-balance-factor 50 # E09
retries # E08
fullconn # E08
maxconn # E08
maxconn 10 20 # E08
option # E08
option httpchkk # E06
option httplog foo # E08
option tcplog clf # E08
option forwardfor foo # E09
option mysql-check user # E08
option ldap-check x # E08
option pgsql-check # E08
no balance # E07
no timeout client # E07
no option httpchk # E07
default option httplog # E07
timeout # E08
timeout conect 5s # E06
timeout client # E08
timeout server 5s 6s # E08
timeout server 5x # E09
timeout server x # E09
timeout server 30d # E09
contimeout 5s # E06
srvtimeout 5s # E06
reqadd X-a:\ b # E06
rsprep a b # E06
block if TRUE # E06
monitor-net 10.0.0.0/8 # E06
cookie # E08
cookie X foo # E09
cookie X rewrite indirect # E14
cookie X insert prefix # E14
cookie X insert maxidle # E08
cookie X insert maxidle x # E09
cookie X preserve # E14
stick-table type ip # E08
stick-table type ip size 1x # E09
stick-table type ip size 1k expire 5x # E09
stick-table size 1k # E08
stick-table type ip size 1k peers p # E11
stick on src # E11
stick on src table nosuch # E11
dispatch 127.0.0.1 # E09
source # E08
source 127.0.0.1:10-20 # E09
log 127.0.0.1:10-20 local0 # E09
log 127.0.0.1 # E08
log 127.0.0.1 local9 # E09
log 127.0.0.1 len 99 # E08
timeout foo 5s # E06
load-server-state-from-file foo # E09
http-reuse foo # E09
retry-on # E08
errorfiles x # E11
filter cache nosuch # E11
filter spoe # E08
use-fcgi-app nosuch # E11
id x # E09
disabled foo # E08
force-persist # E08
stats # E08
stats uri # E08
stats refresh 5x # E09
stats admin # E08
stats socket /tmp/x # E07
stats admin if foo # E11
acl x # E08
acl or path / # E09
acl x/y path / # E09
acl x -i path / # E09
acl x hdr(host # E01
acl x path_beq /a # E06
acl x http_auth(nosuch) # E11
acl x var(foo) -m found # E09
tcp-check send a\ntcp-check connect # E14
tcp-check send a comment # E08
tcp-check sent a # E06
http-check expect # E08
http-check expect status # E08
http-check expect status abc # E09
http-check expect ! status 2xx # E09
http-check expects status 200 # E06
tiemout client 5s # E06
nbproc 2 # E06
chroot / # E07
"""

FRONTENDS = r"""
bind # E08
bind : # E09
bind 127.0.0.1 # E09
bind :0 # E09
bind :70000 # E09
bind :80-70 # E09
bind :+5 # E09
bind :http # E09
bind udp@:18081 # E09
bind :18081 sssl # E06
bind :18081 ssl # E14
bind :18081 maxconn # E08
bind *:18081 *:18082 # E08
server s 127.0.0.1:80 # E07
default-server check # E07
retry-on none # E07
tcp-response content accept # E07
use_backend # E08
use_backend b b2 # E08
use_backend b when TRUE # E08
use_backend b if foo # E11
use_backend b if { path /a # E01
use_backend b if {path /a } # E01
use_backend b if TRUE and TRUE # E11
use_backend b if not TRUE # E11
use_backend b if { } # E08
default_backend # E08
default_backend b if TRUE # E08
http-request # E08
http-request denny # E06
http-request deny if foo # E11
http-request set-header X %[src # E01
http-request set-header X %[hdr(host))] # E01
http-request set-header X %[] # E08
http-request set-header X %[srcc] # E06
http-request set-var(foo) src # E09
http-request track-sc0 src # E11
http-request track-sc0 src table nosuch # E11
http-request cache-use x # E11
tcp-request conten accept # E06
tcp-request content acept # E06
redirect location /x if x\nacl x path /a # E11:1
monitor fail if foo # E11
"""

WHOLE = r"""
frontend\n bind :18080 # E08:1
backend b! # E09
backend b/c # E09
listen f 127.0.0.1:80\n server a 127.0.0.1:80 # E08:1
backend b\nbackend b # E10
frontend b\n bind :18080\nlisten b\n bind :18081 # E10:3
backend b from x # E11
defaults x\ndefaults x\nbackend b from x # E10
defaults x from x # E11
global x # E08
global\n maxcon 5 # E06
global\n mode http # E07
global\n nbproc 2 # E06
global\n maxconn # E08
global\n maxconn 1 2 # E08
global\n daemon yes # E08
global\n nbthread 0 # E09
global\n maxcompcpuusage 101 # E09
global\n spread-checks 51 # E09
global\n hard-stop-after 5x # E09
global\n hard-stop-after # E08
global\n tune.bufsize x # E09
global\n tune.comp.maxlevel 10 # E09
global\n tune.http.maxhdr 0 # E09
global\n tune.h2.header-table-size 4095 # E09
global\n tune.h2.header-table-size 65537 # E09
global\n tune.h2.initial-window-size -1 # E09
global\n tune.h2.max-frame-size 16383 # E09
global\n tune.h2.max-frame-size 16777216 # E09
global\n tune.ssl.default-dh-param 1023 # E09
global\n tune.pool-low-fd-ratio 101 # E09
global\n log 127.0.0.1 # E08
global\n stats socket mode 600 # E09
.if 1\n.endif x # E01
global\n stats socket # E08
global\n stats socket /tmp/x level foo # E09
global\n stats socket /tmp/x mode x # E09
mode http # E07
resolvers # E08
resolvers r\n nameserver a 127.0.0.1:53\nresolvers r\n nameserver a 127.0.0.1:53 # E10:3
resolvers r\n mode http # E07
resolvers r\n nameservr a 127.0.0.1:53 # E06
peers p\npeers p # E10
userlist # E08
cache c\n total-max-size 4\ncache c\n total-max-size 4 # E10:3
defaults\n bind :80 # E07
defaults\n server s 127.0.0.1:80 # E07
defaults\n acl x path / # E07
defaults\n http-request deny # E07
defaults\n use_backend b if TRUE # E07
defaults d\n http-request deny\nlisten l from d\n bind :18080 # E14:3
defaults d\n http-request deny\nbackend b from d\nfrontend f from d\n bind :18080 # E14:4
.if foo(\n # E01:1
.else # E01
.endif # E01
.foo # E06
\ufeffglobal # E01
"""

TOGETHER = """
server s1 127.0.0.1:80
server s1 127.0.0.1:81 # E10
---
server s1 127.0.0.1:80 id 5
server s2 127.0.0.1:81 id 5 # E10
---
server s1 127.0.0.1:80 track s2 # E14
server s2 127.0.0.1:81
---
default-server check
server s1 127.0.0.1:80 track s2 # E14
server s2 127.0.0.1:81
---
server s1 127.0.0.1:80 check track s2 # E14
server s2 127.0.0.1:81 check
---
default-server ssl
server s1 127.0.0.1:80 # E14
---
option httpchk
http-check expect status 200
http-check connect # E14
"""

ACCEPTED_GLOBAL = """
maxcompcpuusage 0
spread-checks 50
hard-stop-after 5s
tune.bufsize 16384
tune.comp.maxlevel 9
tune.http.maxhdr 32767
tune.h2.header-table-size 65536
tune.h2.initial-window-size 0
tune.h2.max-frame-size 16777215
tune.ssl.default-dh-param 1024
tune.ssl.default-dh-param -1
tune.pool-low-fd-ratio 100
tune.maxrewrite x
"""
ACCEPTED = r"""
server s1 127.0.0.1
server s1 127.0.0.1 check port 80
server s1 [::1]:80 check
server s1 unix@/tmp/x.sock check
server s1 /tmp/x.sock check
server s1 127.0.0.1:80 weight 256
server s1 127.0.0.1:80 weight 0
server s1 127.0.0.1:80 weight 50%
server s1 127.0.0.1:80 inter 5sec
server s1 127.0.0.1:80 inter 500us
server s1 127.0.0.1:80 slowstart 0
server s1 127.0.0.1:80 maxconn abc
server s1 127.0.0.1:80 ssl verify none
server s1 127.0.0.1:80 check check-ssl verify none
server s1 127.0.0.1:80 verify required
server s1 127.0.0.1:80 resolvers default
server s1 127.0.0.1:80 check "" bogus
server s1 127.0.0.1:80 source 127.0.0.1:10000-20000 interface lo
server s1 :80 check
server s1 127.0.0.1:80 no-check check
server s1 127.0.0.1:80 id 3\nserver s1 127.0.0.1:81
default-server check\nserver s1 127.0.0.1:80 no-check track s2\nserver s2 127.0.0.1:81
server-template s 3 127.0.0.1:80
server-template s 1-2 127.0.0.1:80 check\nserver t 127.0.0.1:80 track s1
balance roundrobin
balance random
balance random(3)
balance uri len 3 depth 2
balance hdr(Host) use_domain_only
balance url_param id check_post
balance hash path,lower
hash-type map-based sdbm avalanche
hash-type consistent
hash-balance-factor 0
no log
log 127.0.0.1 len 2048 format rfc5424 sample 1:2 local0 info
log stdout format raw daemon
no option httpclose
timeout server 0
timeout http-keep-alive 5
cookie X insert indirect nocache httponly secure postonly maxidle 30m maxlife 8h domain a.b attr "SameSite=None"
cookie X insert preserve httponly secure
stick-table type ip size 1k expire 30m\nstick on src
option httpchk GET / HTTP/1.1
option mysql-check user x pre-41
option smtpchk EHLO x
stats enable\nstats refresh 5s\nstats admin if TRUE
acl or2 path /
acl x path -m beg -i /x
acl x hdr(host),lower -m end .x .y
acl x nbsrv(a) lt 1
acl x var(txn.x) -m found
http-request deny if { path /a } or { path_beg /b } !{ src 127.0.0.1 }
http-request set-header X "%[src] %{+Q}[path]"
redirect location http://x/%[foo if { path /x }
http-request replace-path (.*)%[0-9] /x
http-check expect ! status 500-599,404
http-check expect status 200 comment ok
http-check expect comment x rstatus 2..
disabled\nserver s1 127.0.0.1 check\nstick on src
description "it's" 'a "b"'
bind 127.0.0.1:18099
"""


def refused():
    for shape, text in ((BACKEND, SERVERS), (BACKEND, SETTINGS), (FRONTEND, FRONTENDS)):
        for line in text.strip().split("\n"):
            yield line, shape
    for line in WHOLE.strip().split("\n"):
        yield line, "{}"
    for block in TOGETHER.strip().split("\n---\n"):
        yield block, BACKEND


def expected(text):
    """Return the text without its marks, and {(line of the added text, code)}."""
    marks = set()
    lines = text.replace("\\n", "\n").replace("\\ufeff", "\ufeff").split("\n")
    for number, line in enumerate(lines, 1):
        body, hash_mark, codes = line.partition(" # E")
        if hash_mark:
            for code in ("E" + codes).split():
                name, _, place = code.partition(":")
                marks.add((int(place or number), name))
        lines[number - 1] = body
    return "\n".join(lines) + "\n", marks


def hits(text):
    config = read_group(["x.cfg"], DiskFiles(memory={"x.cfg": text}))
    return {(hit.span.line, hit.code) for hit in config.hits}


def accepts(text, folder):
    try:
        return verdict("haproxy", {"x.cfg": text}, folder)
    except CannotJudgeError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("text", "shape"), list(refused()))
def test_what_haproxy_refuses_is_found_at_its_line(text, shape, tmp_path):
    added, marks = expected(text)
    whole = shape.format(added)
    above = shape.partition("{}")[0].count("\n")
    assert hits(whole) == {(above + line, code) for line, code in marks}
    ok, said = accepts(whole, tmp_path)
    assert not ok, said


def accepted():
    yield from (BACKEND.format(line.replace("\\n", "\n") + "\n") for line in ACCEPTED.strip("\n").split("\n"))
    yield from (f"global\n {line}\n" + BACKEND.format("") for line in ACCEPTED_GLOBAL.strip().split("\n"))


@pytest.mark.parametrize("whole", list(accepted()))
def test_what_haproxy_accepts_is_no_error(whole, tmp_path):
    assert hits(whole) == set()
    ok, said = accepts(whole, tmp_path)
    assert ok, said


@pytest.mark.parametrize(
    ("keywords", "value"), [(settings.FLAGS, " x"), (settings.SINGLE, ""), (settings.SINGLE, " 1 1")]
)
def test_settings_of_global_take_as_many_words_as_haproxy_says(keywords, value, tmp_path):
    names = sorted(keywords)
    for some in (names[:40], names[40:]):  # haproxy stops after 50 errors
        text = "global\n" + "".join(f" {keyword}{value}\n" for keyword in some) + BACKEND.format("")
        wanted = set(range(2, 2 + len(some)))
        assert hits(text) == {(line, "E08") for line in wanted}
        _, said = accepts(text, tmp_path)
        assert wanted <= {int(line) for line in re.findall(r"x\.cfg:(\d+)\]", said)}
