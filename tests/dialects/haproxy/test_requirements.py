"""Features newer than 2.6: what needs which version, held against the installed haproxy and its own list of words."""

from __future__ import annotations

import re
import subprocess

import pytest
from proxies import HAPROXY, needs_haproxy
from verdicts import CannotJudgeError, verdict

from lbcheck.dialects.haproxy import read_group, since, vocabulary
from lbcheck.files import DiskFiles

HEAD = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
FRONTEND = HEAD + "backend b\n server s 127.0.0.1:80\nfrontend f\n bind 127.0.0.1:18080\n default_backend b\n {}\n"
SECTION = FRONTEND.replace(" {}", "{}")
BACKEND = HEAD + "frontend f\n bind 127.0.0.1:18080\n default_backend b\nbackend b\n server s 127.0.0.1:80\n {}\n"
#: A line of a frontend, and the version behind `#` that is the first to take it; none: 2.6 takes it.
FRONTENDS = """
bind mptcp@127.0.0.1:18081 # 3.1
bind abnsz@x # 3.1
bind rhttp@b/s # 2.9
bind 127.0.0.1:18081 proto qmux # 3.4
bind abns@x
bind 127.0.0.1:18081,127.0.0.1:18082 proto h2
log 127.0.0.1 profile p local0 # 3.1
log backend@b local0 # 2.9
log 127.0.0.1 len 2048 local0
option forwarded # 2.8
option forwardfor
compression algo-req gzip # 2.8
compression algo gzip
filter bwlim-in x default-limit 1m default-period 1s # 2.7
filter trace
timeout client-hs 5s # 2.9
timeout client-fin 5s
stick-table type ip size 1k expire 5s recv-only # 3.2
stick-table type ip size 1k expire 5s store gpc0
http-request pause 1s # 3.2
http-request set-bc-mark 1 # 3.0
http-request set-mark 1
http-response sc-add-gpc(0,0) 1 # 2.8
http-after-response set-map(/dev/null) a b # 2.8
http-response set-map(/dev/null) a b
http-request set-header x %[fs.id] # 2.9
http-request set-header x %{+Q}[fs.id] # 2.9
http-request set-header fs.id %[src]
http-request set-header x "a %[src] %[ src,map_str_key(/dev/null)]" # 3.0
http-request set-header x %[str(fs.id)]
http-request set-header x %[url_param(a,,i)] # 2.8
http-request set-header x "%[url_param(a,&)]"
http-request set-header x "%[url_param('a,b',&)]"
http-request set-header x %[str(abc),bytes(txn.a)] # 2.9
http-request set-header x %[str(abc),bytes(1,2)]
http-request set-var(txn.x) pid # 2.9
http-request set-var(txn.pid) src
http-request set-var(txn.x) src,reverse # 3.4
http-request capture pid len 10 # 2.9
http-request capture src len 10
acl pid path /pid
acl x pid 3 # 2.9
acl x req.hdr(date),date # 3.1
acl x req.hdr(date) date
use_backend b if { path /a } or !{ fs.id 3 } # 2.9
use_backend b if { path fs.id }
http-request redirect prefix %[pid] if { path /x } # 2.9
redirect prefix %[pid] if { path /x }
redirect prefix / if { pid 3 } # 2.9
"""
BACKENDS = """
balance sticky # 2.9
balance source
hash-type consistent none # 2.9
hash-type consistent crc32
retry-on 421 # 3.2
retry-on 425
option httpchk GET / HTTP/1.1 example.com # 3.1
option httpchk GET / HTTP/1.1
hash-preserve-affinity always # 3.2
mode spop # 3.1
server t mptcp@127.0.0.1:80 # 3.1
server t ipv4@127.0.0.1:80
server t 127.0.0.1:80 hash-key addr # 3.0
server t 127.0.0.1:80 proto qmux # 3.4
server t 127.0.0.1:80 proto h2
"""
WHOLE = """
global\\n log 127.0.0.1 profile p local0 # 3.1
global\\n quick-exit # 2.7
global\\n quiet
cache c\\n early-hints on # 3.5
cache c\\n total-max-size 4
peers p\\n shards 3 # 2.7
peers p\\n peer a 127.0.0.1:1024\\n log 127.0.0.1 local0
log-profile p # 3.1
"""
#: Fetches that only some builds have, were taken out before, or came into a patch release.
_ELSEWHERE = re.compile(
    "51d|da-csv|wurfl|lua|quic_enabled|internal|distcc|fcgi|spoe|ssl_|nbproc|http_first_req|set-cookie"
)


def cases():
    for shape, lines in ((FRONTEND, FRONTENDS), (BACKEND, BACKENDS), (SECTION, WHOLE)):
        for line in lines.strip().split("\n"):
            text, _, version = line.partition(" # ")
            yield shape.format(text.replace("\\n", "\n")), tuple(map(int, version.split("."))) if version else None


def found(text):
    config = read_group(["x.cfg"], DiskFiles(memory={"x.cfg": text}))
    return {(one.span.line, one.since) for one in config.requirements}


def installed():
    said = subprocess.run([HAPROXY, "-v"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.search(r"version (\d+)\.(\d+)", said).groups()))


@pytest.mark.parametrize(("text", "version"), list(cases()))
def test_what_needs_a_newer_haproxy_says_since_which(text, version, tmp_path):
    line = text.rstrip("\n").count("\n") + 1
    assert found(text) == ({(line, version)} if version else set())
    try:
        ok, said = verdict("haproxy", {"x.cfg": text}, tmp_path)
    except CannotJudgeError as error:
        pytest.skip(str(error))
    assert ok == (not version or version <= installed()), said
    assert ok or f":{line}]" in said


def test_the_features_of_a_config_stand_in_the_order_of_writing():
    text = FRONTEND.format("http-request pause 1s\n acl x pid 3\n http-request deny if { fs.id 3 }\n log-steps all")
    config = read_group(["x.cfg"], DiskFiles(memory={"x.cfg": text}))
    assert [one.feature for one in config.requirements] == [
        "http-request pause", "the fetch pid", "the fetch fs.id", "log-steps",
    ]  # fmt: skip


def test_what_lies_in_an_if_block_needs_no_version():
    assert (
        found(HEAD + ".if version_atleast(3.1)\nfrontend f\n bind mptcp@:80\n http-request pause 1s\n.endif\n") == set()
    )


def registered(heading):
    run = subprocess.run(
        [HAPROXY, "-dKall", "-q", "-c", "-f", "/dev/null"], capture_output=True, text=True, check=False
    )
    part = run.stdout.partition(f"# List of registered {heading}:\n")[2].partition("\n# List of")[0]
    lines = [line.rpartition("] ")[2] for line in part.split("\n") if line and line[0] != "#"]
    return {re.split(r"[ (:]", line)[0] for line in lines}


@needs_haproxy
@pytest.mark.parametrize(
    ("heading", "versions"),
    [
        ("sample fetch functions", since.FETCHES),
        ("sample converter functions", since.CONVERTERS),
        ("filter names", since.WORDS["filter"]),
    ],
)
def test_no_word_is_called_newer_than_a_haproxy_that_has_it(heading, versions):
    there = registered(heading)
    assert len(there) >= 5
    assert {word for word in there if versions.get(word, (0, 0)) > installed()} == set()


@needs_haproxy
def test_every_fetch_that_is_not_called_newer_is_there():
    old = {name for name in vocabulary.FETCHES if since.FETCHES.get(name, (0, 0)) <= installed()}
    there = registered("sample fetch functions") | registered("ACL keywords")
    assert {name for name in old - there if not _ELSEWHERE.match(name)} == set()
