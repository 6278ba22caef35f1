"""Which configs are taken for balancers of one group, and what of their pools is then compared."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lbcheck import project
from lbcheck.grouping import Unit
from lbcheck.peers import Peers
from lbcheck.project import Request
from lbcheck.settings import from_text

POOL = """http {{
    upstream app {{ {inside} }}
    server {{ listen 127.0.0.1:8080; location / {{ proxy_pass http://{name}; }} }}
}}
"""
THREE = "server 10.0.0.1:80; server 10.0.0.2:80; server 10.0.0.3:80;"


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("lb1/nginx.conf", "lb2/nginx.conf", True),
        ("etc/lb-a/nginx/nginx.conf", "etc/lb-b/nginx/nginx.conf", True),
        ("eu-lb01/haproxy.cfg", "eu-lb02/haproxy.cfg", True),
        ("nginx1/a.conf", "nginx2/b.conf", False),
        ("lb1/site1/nginx.conf", "lb2/site2/nginx.conf", False),
        ("test1/nginx.conf", "test2/nginx.conf", False),
        ("v1/nginx.conf", "v2/nginx.conf", False),
        ("lb-staging/nginx.conf", "lb-prod/nginx.conf", False),
        ("lb-eu1/nginx.conf", "lb-us1/nginx.conf", False),
        ("club1/nginx.conf", "club2/nginx.conf", False),
        ("1/nginx.conf", "2/nginx.conf", False),
        ("lb1.conf", "lb2.conf", False),
    ],
)
def test_siblings_of_a_balancers_name_are_a_group(one, other, together):
    peers = Peers([Unit("nginx", (one,)), Unit("nginx", (other,))], None)
    assert (peers.first(one), peers.first(other)) == (None, one if together else None)


def test_other_dialects_are_no_group():
    peers = Peers([Unit("nginx", ("lb1/a.conf",)), Unit("haproxy", ("lb2/a.conf",))], None)
    assert peers.first("lb2/a.conf") is None


def found(folder, monkeypatch, first, second, names=("lb1", "lb2")):
    monkeypatch.chdir(folder)
    for name, inside in zip(names, (first, second), strict=True):
        (folder / name).mkdir()
        (folder / name / "nginx.conf").write_text(POOL.format(inside=inside, name="app"))
    result = project.check(Request((".",)), project.judge(from_text('select = ["X02", "S09"]')))
    return [(finding.place.path, finding.code, finding.message.partition(": ")[2]) for finding in result.findings]


def test_the_later_one_is_told_against_the_first(tmp_path, monkeypatch):
    less = THREE.replace("server 10.0.0.3:80;", "")
    assert found(tmp_path, monkeypatch, THREE, less) == [("lb2/nginx.conf", "X02", "10.0.0.3:80 is only there")]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (THREE + "server 10.0.0.4:80;", "10.0.0.4:80 is only here"),
        (THREE.replace("3:80", "3:80 weight=5"), "10.0.0.3:80 has weight 5 here and 1 there"),
        (THREE.replace("3:80", "3:80 backup"), "10.0.0.3:80 is a backup here and a primary there"),
        (THREE.replace("3:80", "3:80 down"), "10.0.0.3:80 is only there"),
        ("least_conn; " + THREE, "it is balanced by least_conn here and by round_robin there"),
    ],
)
def test_what_differs_is_said(second, words, tmp_path, monkeypatch):
    assert [message for *_, message in found(tmp_path, monkeypatch, THREE, second)] == [words]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (THREE, THREE),
        (THREE, "server 10.0.0.3:80; server 10.0.0.2:80; server 10.0.0.1:80;"),
        (THREE, "server 10.1.0.1:80; server 10.1.0.2:80; server 10.0.0.3:80;"),
        ("server 10.0.0.1:80; server 10.0.0.2:80 backup;", "server 10.0.0.2:80; server 10.0.0.1:80 backup;"),
        ("server 10.0.0.1:80 weight=3; server 10.0.0.2:80;", "server 10.0.0.2:80 weight=3; server 10.0.0.1:80;"),
        ("server 127.0.0.1:80; server 10.0.0.2:80;", "server 127.0.0.1:80; server 10.0.0.1:80;"),
    ],
)
def test_what_is_meant_is_silent(first, second, tmp_path, monkeypatch):
    assert found(tmp_path, monkeypatch, first, second) == []


@pytest.mark.parametrize(
    ("first", "second", "moved"),
    [
        (
            "hash $uri; server 10.0.0.1:80; server 10.0.0.2:80;",
            "hash $uri; server 10.0.0.2:80; server 10.0.0.1:80;",
            100,
        ),
        (
            "hash $uri consistent; " + THREE,
            "hash $uri consistent; server 10.0.0.3:80; server 10.0.0.2:80; server 10.0.0.1:80;",
            0,
        ),
    ],
)
def test_keys_are_mapped_by_both(first, second, moved, tmp_path, monkeypatch):
    codes = [code for _, code, _ in found(tmp_path, monkeypatch, first, second)]
    assert codes == (["S09"] if moved else [])


def test_hashes_are_imported_for_groups_alone(tmp_path):
    for name in ("lb1", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "nginx.conf").write_text(POOL.format(inside=THREE, name="app"))
    program = (
        "import sys; from lbcheck.cli import commands\n"
        "try: commands.cli(['check', '--isolated', '--exit-zero', sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "print('lbcheck.traffic.algorithms.ketama' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "False"
