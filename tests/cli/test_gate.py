"""`lbcheck gate` from outside: one word, the evidence of each stage, and the exit code."""

from __future__ import annotations

import json
import socket
from importlib.resources import files
from pathlib import Path

import pytest
from cli.running import lbcheck
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, SERVICE, joined
from dialects.kubernetes.test_unserved import GATEWAY, ROUTE
from jsonschema import Draft202012Validator
from proxies import needs_haproxy
from report.rehearsals import APP, AS_PREDICTED, UNPLAYED, UNREACHED
from repos import commit, put, repository

from lbcheck.gate.outcome import Verdict
from lbcheck.gate.policy import Policy
from lbcheck.gate.stages import left_out, not_run, rehearse
from lbcheck.rehearsal.outcome import Rehearsed
from lbcheck.traffic.outcome import Traffic

SCHEMA = json.loads(files("lbcheck.report").joinpath("gate.schema.json").read_text("utf-8"))
OUTAGE = Path(__file__).parents[2] / "fixtures" / "outage"

HAPROXY = """\
defaults
    mode http
    timeout connect 1s
    timeout client 9s
    timeout server 9s
    option httpchk
frontend web
    bind 127.0.0.1:8000
    default_backend app
backend app
    server one 10.0.0.1:80 check weight {one}
    server two 10.0.0.2:80 check weight 10
    server three 10.0.0.3:80 check weight 10
"""


@pytest.fixture
def folder(tmp_path):
    put(tmp_path, {"new/haproxy.cfg": HAPROXY.format(one=10), "old/haproxy.cfg": HAPROXY.format(one=7)})
    return tmp_path


def gate(folder, *args, toml=None):
    if toml is not None:
        (folder / "lbcheck.toml").write_text(toml)
    done = lbcheck(folder, "gate", *args, "--output-format", "json")
    assert done.stderr == ""
    verdict = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(verdict)
    assert (done.returncode == 0) == (verdict["verdict"] == "GO")
    return verdict, {stage["name"]: stage for stage in verdict["stages"]}


def test_the_outage_does_not_go_live():
    done = lbcheck(OUTAGE, "gate", "before")
    assert done.returncode == 1
    assert done.stdout.startswith("NO-GO: before\n")
    words = " ".join(done.stdout.split())
    assert "server shop1 of pool shop gets 83.3 % of its traffic, 2.5 times a fair share" in words
    assert words.endswith("NO-GO because of check")


def test_the_mended_outage_goes_live():
    done = lbcheck(OUTAGE, "gate", "after", "--from", "before")
    assert done.returncode == 0
    assert done.stdout.startswith("GO: after in place of before\n")
    assert "8 fixed" in done.stdout


def test_stages_that_nobody_asked_for_are_named(folder):
    verdict, stages = gate(folder, "new")
    assert verdict["verdict"] == "GO"
    assert {name: stage["outcome"] for name, stage in stages.items()} == {
        "check": "passed",
        "diff": "left_out",
        "traffic": "passed",
        "rehearse": "left_out",
        "probe": "left_out",
    }
    assert "no demand is declared, so loads were not held against capacities" in stages["traffic"]["evidence"]


def test_a_required_stage_that_did_not_run_is_a_no(folder):
    verdict, stages = gate(folder, "new", toml='[gate]\nrequire = ["diff"]')
    assert verdict["verdict"] == "NO-GO"
    assert stages["diff"]["blocking"]
    assert "the policy requires it" in lbcheck(folder, "gate", "new").stdout


def test_what_is_required_is_run_only_where_it_is_asked_for(folder):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        place = "{}:{}".format(*server.getsockname())
        put(folder, {"new/haproxy.cfg": HAPROXY.rpartition("backend app")[0] + f"backend app\n    server s {place}\n"})
        toml = '[gate]\nallow = "error"\nrequire = ["rehearse", "probe"]'
        verdict, stages = gate(folder, "new", toml=toml)
        with pytest.raises(BlockingIOError):  # nobody has connected
            server.accept()
        assert verdict["verdict"] == "NO-GO"
        for name in ("rehearse", "probe"):
            assert (stages[name]["outcome"], stages[name]["blocking"]) == ("left_out", True)
            assert stages[name]["reasons"] == [f"nobody asked for it: add --{name}"]
        _, stages = gate(folder, "new", "--probe")
        assert stages["probe"]["outcome"] == "passed"
        server.accept()[0].close()


@pytest.mark.parametrize(("allow", "word"), [("none", "NO-GO"), ("info", "NO-GO"), ("warning", "GO"), ("error", "GO")])
def test_the_highest_severity_that_may_remain(folder, allow, word):
    put(folder, {"new/haproxy.cfg": HAPROXY.format(one=200)})
    verdict, stages = gate(folder, "new", toml=f'[gate]\nallow = "{allow}"')
    assert verdict["verdict"] == word
    assert any("D01" in reason for reason in stages["check"]["reasons"]) == (word == "NO-GO")


def test_what_a_change_may_move(folder):
    moved = 10 / 30 - 7 / 27
    evidence = f"{moved * 100:.1f} % of all requests move"
    verdict, stages = gate(folder, "new", "--from", "old", toml="[gate]\nmoved = 0.08")
    assert verdict["verdict"] == "GO"
    assert evidence in stages["diff"]["evidence"][0]
    verdict, stages = gate(folder, "new", "--from", "old", toml="[gate]\nmoved = 0.07")
    assert verdict["verdict"] == "NO-GO"
    assert stages["diff"]["reasons"] == ["7.4 % of all requests go to other servers; at most 7 % may"]


NGINX = """\
events {}
http {
    upstream web { zone web 64k; server 10.0.0.1:80; server 10.0.0.2:80; }
    server { listen 80; server_name shop.example.com; location / { proxy_pass http://web; } }
    server { listen 80 default_server; return 404; }
}
"""


@pytest.mark.parametrize(
    ("old", "new"), [("shop.example.com", "shop.example.org"), ("listen 80;", "listen 81;"), ("/ {", "/shop/ {")]
)
def test_a_limit_does_not_let_pass_what_is_not_known(folder, old, new):
    """No pool changes its servers, yet nobody knows how many requests come for another host, port or path."""
    put(folder, {"old/nginx.conf": NGINX, "new/nginx.conf": NGINX.replace(old, new)})
    for side in ("old", "new"):
        (folder / side / "haproxy.cfg").unlink()
    verdict, stages = gate(folder, "new", "--from", "old", toml="[gate]\nmoved = 0.25")
    assert verdict["verdict"] == "NO-GO"
    assert (stages["diff"]["outcome"], stages["diff"]["blocking"]) == ("not_run", True)
    assert stages["diff"]["reasons"] == ["whether too much moves cannot be known"]
    verdict, _ = gate(folder, "new", "--from", "old", toml="")
    assert verdict["verdict"] == "GO"
    put(folder, {"new/nginx.conf": NGINX + "# a comment\n"})
    verdict, _ = gate(folder, "new", "--from", "old", toml="[gate]\nmoved = 0.25")
    assert verdict["verdict"] == "GO"


def test_findings_of_the_change_itself(folder):
    put(folder, {"old/haproxy.cfg": HAPROXY.format(one=10) + "".join(
        f"    server more{number} 10.0.1.{number}:80 check weight 10\n" for number in range(1, 12))})  # fmt: skip
    _, stages = gate(folder, "new", "--from", "old")
    assert stages["diff"]["outcome"] == "failed"
    assert any("V0" in reason for reason in stages["diff"]["reasons"])
    assert stages["check"]["outcome"] == "passed"


CAPACITY = """
[[capacity]]
match = "*"
limit = {limit}
[[demand]]
frontend = "web"
peak = 300
[gate]
headroom = {headroom}
"""


@pytest.mark.parametrize(
    ("limit", "headroom", "reason"),
    [
        (200, 0.2, None),
        (200, 0.3, "without one, server two of pool app gets 150, 75 % of what it can take; 30 % must be left"),
        (90, 0.0, "server one of pool app gets 100 of the declared 300 (33.3 %) and can take 90"),
    ],
)
def test_headroom(folder, limit, headroom, reason):
    _, stages = gate(folder, "new", "--ignore", "F14", toml=CAPACITY.format(limit=limit, headroom=headroom))
    assert stages["traffic"]["outcome"] == ("failed" if reason else "passed")
    assert stages["traffic"]["reasons"][:1] == ([reason] if reason else [])


def test_requests_that_find_no_server(folder):
    text = "backend app\n" + "".join(f"    server {name} 10.0.0.9:80 disabled\n" for name in ("one", "two"))
    put(folder, {"new/haproxy.cfg": HAPROXY.format(one=10).rpartition("backend app")[0] + text})
    _, stages = gate(folder, "new")
    assert stages["traffic"]["reasons"] == ["100 % of the requests of pool app find no server"]


WEIGHTLESS = "port: 80, weight: 0}"
IGNORED = ("--ignore", "D05,K01,K06,K11,P02,P07")


def manifests(folder, service=SERVICE, weight="port: 80}"):
    """Write a Gateway's route to a Service, in the old version as it should be, in the new one as given."""
    route = ROUTE.format(refs="{name: web, port: 80}")
    put(folder, {"k8s/old/a.yaml": joined(GATEWAY, route, SERVICE, DEPLOYMENT)})
    put(folder, {"k8s/new/a.yaml": joined(GATEWAY, route.replace("port: 80}", weight), service, DEPLOYMENT)})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"weight": WEIGHTLESS}, "come to no pool: no target takes them"),
        ({"weight": "port: 81}"}, "come to no pool: web: the Service has no port 81, only 80: its requests get 500"),
        ({"service": SERVICE.replace("name: web}", "name: wbe}")}, "come to no pool: web: there is no such Service"),
    ],
)
def test_a_route_that_lost_its_pool_is_a_no_whatever_is_ignored(folder, change, why):
    manifests(folder, **change)
    args = ("k8s/new", "--from", "k8s/old", "--complete-namespace", "default", *IGNORED)
    verdict, stages = gate(folder, *args)
    assert (verdict["verdict"], stages["check"]["outcome"]) == ("NO-GO", "passed")
    for name in ("diff", "traffic"):
        (reason,) = stages[name]["reasons"]
        assert reason.startswith("100 % of the requests of HTTPRoute r, rule 1 of Gateway gw, listener http come to no")
        assert why in reason
        assert reason.endswith("; before 0 %") == (name == "diff")
    assert "100 % of all requests move" in stages["diff"]["evidence"][0]


def test_a_service_that_lost_its_pods_is_a_no_whatever_is_ignored(folder):
    manifests(folder, service=SERVICE.replace("app: web", "app: wbe"))
    args = ("k8s/new", "--from", "k8s/old", *IGNORED)
    verdict, stages = gate(folder, *args, "--complete-namespace", "default")
    assert verdict["verdict"] == "NO-GO"
    (reason,) = stages["traffic"]["reasons"]
    assert reason.startswith("100 % of the requests of pool web find no server: no workload makes pods with app: wbe")
    verdict, stages = gate(folder, *args)
    assert verdict["verdict"] == "GO"  # other files may have the pods, and it says that it does not know
    assert any(words.startswith("shares not known of web") for words in stages["traffic"]["evidence"])


def test_what_was_lost_before_is_no_matter_of_the_change(folder):
    manifests(folder, weight="port: 81}")
    verdict, stages = gate(folder, "k8s/new", "--from", "k8s/new", *IGNORED)
    assert (stages["diff"]["outcome"], stages["traffic"]["outcome"]) == ("passed", "failed")
    assert verdict["verdict"] == "NO-GO"


def test_what_does_not_change_goes_live_all_the_same(folder):
    manifests(folder)
    assert gate(folder, "k8s/new", "--from", "k8s/old", *IGNORED)[0]["verdict"] == "GO"


def test_a_missing_backend_is_a_no_whatever_is_ignored(folder):
    text = HAPROXY.format(one=10).replace("default_backend app", "default_backend nope")
    put(folder, {"new/haproxy.cfg": f"global\n{text}"})
    _, stages = gate(folder, "new", "--from", "old", "--ignore", "P02,P07")
    assert stages["check"]["outcome"] == "passed"
    for name in ("diff", "traffic"):
        assert "of web come to no pool: no pool is named nope" in stages[name]["reasons"][0]


def test_what_is_not_known_is_said(folder):
    put(folder, {"new/haproxy.cfg": HAPROXY.format(one='"${WEIGHT}"')})
    _, stages = gate(folder, "new")
    assert any(seen.startswith("shares not known of app: ") for seen in stages["traffic"]["evidence"])
    _, stages = gate(folder, "new", "--from", "old", toml='[gate]\nmoved = 0.5\nrequire = ["diff"]')
    assert stages["diff"]["outcome"] == "not_run"
    assert stages["diff"]["blocking"]


def test_a_mistyped_capacity_is_said(folder):
    put(folder, {"lbcheck.toml": '[[capacity]]\nmatch = "ap/*"\nlimit = 10\n'})
    assert "[[capacity]] ap/*: no server of what was read" in lbcheck(folder, "gate", ".").stderr


@needs_haproxy
def test_the_real_proxy_has_a_say(folder):
    text = HAPROXY.format(one=10).replace("option httpchk", "default-server inter 200ms")
    put(folder, {"new/haproxy.cfg": text, "bad/haproxy.cfg": text + "    no-such-keyword\n"})
    _, stages = gate(folder, "new", "--rehearse")
    if stages["rehearse"]["outcome"] == "not_run":
        pytest.skip(f"no sandbox can be made here: {stages['rehearse']['reasons'][0]}")
    assert stages["rehearse"]["outcome"] == "passed"
    assert stages["rehearse"]["evidence"] == ["of 1 pool 1 as predicted, 0 not judged; losses as predicted: 1"]
    _, stages = gate(folder, "bad", "--rehearse")
    assert stages["rehearse"]["outcome"] == "failed"
    assert "no-such-keyword" in stages["rehearse"]["reasons"][0]


def test_what_was_not_judged_is_named():
    lost = APP._replace(name="web", passed=None, reason="its key is unknown", losses=(AS_PREDICTED, UNPLAYED))
    stage = rehearse([Rehearsed("a", "nginx", accepted=True, pools=(lost, UNREACHED))])
    assert (stage.outcome, stage.evidence) == (
        "passed",
        (
            "of 2 pools 0 as predicted, 2 not judged; losses as predicted: 1",
            "pool web not judged: its key is unknown",
            "pool web without c not judged: a unix socket cannot be made to hang",
            "pool old <b> not judged: no request is known that reaches it",
        ),
    )
    stage = rehearse([Rehearsed("a", "nginx", accepted=True, pools=(UNREACHED,) * 12)])
    assert (stage.outcome, stage.evidence[-1]) == ("not run", "and 4 more")
    assert rehearse([Rehearsed("a", "nginx", accepted=True)]).outcome == "passed"


@pytest.mark.parametrize(
    ("stage", "word"),
    [
        (not_run("probe", "no server could be probed"), "NO-GO"),
        (not_run("rehearse", "no sandbox can be made here"), "NO-GO"),
        (not_run("diff", "whether too much moves cannot be known"), "GO"),
        (left_out("probe", "--probe"), "GO"),
    ],
)
def test_what_was_asked_for_and_did_not_run_is_a_no(stage, word):
    verdict = Verdict("new", None, Policy(), (stage,), Traffic())
    assert verdict.word == word


def test_probing_says_who_would_be_down(folder):
    with socket.create_server(("127.0.0.1", 0)) as up, socket.socket() as down:
        down.bind(("127.0.0.1", 0))  # bound and not listening: nobody else takes the port, and connections are refused
        places = ["{}:{}".format(*one.getsockname()) for one in (up, down)]
        servers = "".join(f"    server s{number} {place}\n" for number, place in enumerate(places))
        put(folder, {"new/haproxy.cfg": HAPROXY.rpartition("backend app")[0] + "backend app\n" + servers})
        _, stages = gate(folder, "new", "--probe", toml='[gate]\nallow = "error"')
    assert stages["probe"]["outcome"] == "failed"
    assert len(stages["probe"]["reasons"]) == 1
    assert stages["probe"]["reasons"][0].startswith("server s1 of pool app would be down: ")
    assert stages["probe"]["evidence"] == ["of 2 servers: 1 up, 1 down"]


def test_nothing_to_look_at_is_no_go(folder):
    put(folder, {"empty/readme.txt": "no config"})
    done = lbcheck(folder, "gate", "empty")
    assert done.returncode == 3
    assert done.stdout.startswith("NO-GO: empty\n")


def test_against_a_git_revision(tmp_path):
    folder = repository(tmp_path / "project")
    put(folder, {"haproxy.cfg": HAPROXY.format(one=7)})
    commit(folder)
    put(folder, {"haproxy.cfg": HAPROXY.format(one=10)})
    verdict, stages = gate(folder, "--git", "HEAD")
    assert (verdict["old"], verdict["verdict"]) == ("HEAD", "GO")
    assert stages["diff"]["outcome"] == "passed"


def test_a_pull_request_cannot_relax_its_own_gate(tmp_path):
    folder = repository(tmp_path / "project")
    put(folder, {"haproxy.cfg": HAPROXY.format(one=10), "lbcheck.toml": '[gate]\nallow = "info"\n'})
    commit(folder)
    put(folder, {"haproxy.cfg": HAPROXY.format(one=200), "lbcheck.toml": '[gate]\nallow = "error"\n'})
    assert gate(folder, ".")[0]["verdict"] == "GO"
    assert gate(folder, ".", "--policy-from", "HEAD")[0]["verdict"] == "NO-GO"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["new", "--from", "nowhere"], "nowhere: no such file or folder"),
        (["new", "--from", "old", "--git", "HEAD"], "--from and --git both say what NEW replaces: name one"),
        (["new", "-o", "x.pdf"], "-o x.pdf: name a format, one of"),
    ],
)
def test_usage(folder, args, says):
    done = lbcheck(folder, "gate", *args)
    assert done.returncode == 2
    assert says in done.stderr


def test_reports_beside(folder):
    done = lbcheck(folder, "gate", "new", "--from", "old", "-o", "gate.html", "-o", "gate.md", "-o", "gate.json")
    assert done.returncode == 0
    page = (folder / "gate.html").read_text()
    assert "<h1>GO: new in place of old</h1>" in page
    assert "Where the traffic goes" not in page
    assert (folder / "gate.md").read_text().startswith("### GO: `new` in place of `old`\n")
    assert json.loads((folder / "gate.json").read_text())["verdict"] == "GO"


def test_a_proxy_that_is_not_here_leaves_the_others(folder):
    """One project, two balancers, and this machine has the proxy of one: it is rehearsed, and the other one named."""
    text = "http:\n  services:\n    app: {loadBalancer: {servers: [{url: 'http://10.0.0.1'}]}}\n"
    (folder / "new" / "traefik.yaml").write_text(text)
    done = lbcheck(folder, "gate", "new", "--rehearse", "--output-format", "json", env={"PATH": "/usr/bin:/usr/sbin"})
    (stage,) = [one for one in json.loads(done.stdout)["stages"] if one["name"] == "rehearse"]
    if "no sandbox" in str(stage) or "haproxy is not installed" in str(stage):
        pytest.skip("no sandbox can be made here, or no proxy is installed")
    assert stage["outcome"] == "not_run"
    assert stage["evidence"][0].startswith("of 1 pool 1 as predicted")
    assert "traefik is not installed: " in stage["evidence"][1]
