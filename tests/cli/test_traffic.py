"""`lbcheck traffic` from outside: exits, usage errors, what is asked for and what is shown."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck

CONFIG = """\
events {}
http {
    upstream app {
        server 10.0.0.1:80 weight=3;
        server 10.0.0.2:80;
    }
    server {
        listen 80;
        server_name app.test;
        location / { proxy_pass http://app; }
    }
}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nginx.conf").write_text(CONFIG)
    return tmp_path


def pools(done):
    return json.loads(done.stdout)["pools"]


def test_json(folder):
    done = lbcheck(folder, "traffic", "--output-format", "json", ".")
    assert done.returncode == 0
    assert [server["share"] for server in pools(done)[0]["servers"]] == [0.75, 0.25]


def test_standard_input(folder):
    done = lbcheck(folder, "traffic", "-", "--output-format", "json", "--stdin-filename", "dump.conf", stdin=CONFIG)
    assert done.returncode == 0
    assert pools(done)[0]["path"] == "dump.conf"


def test_a_report_beside(folder):
    done = lbcheck(folder, "traffic", "nginx.conf", "-o", "shares.json")
    assert done.returncode == 0
    written = json.loads((folder / "shares.json").read_text())
    assert written["version"] == 1


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nowhere.conf"], "nowhere.conf: no such file or folder"),
        (["--lose", "10.0.0.3:80", "nginx.conf"], "--lose 10.0.0.3:80: no server has this name or address; did you"),
        (["--lose-zone", "z", "nginx.conf"], "--lose-zone z: no server lies in it; zones are declared nowhere"),
        (["--in-flight", "0", "nginx.conf"], "0 is not in the range"),
        (["-o", "x.pdf", "nginx.conf"], "-o x.pdf: name a format, one of"),
        (["--config", "nowhere.toml", "nginx.conf"], "nowhere.toml: no such file"),
    ],
)
def test_what_cannot_be_done_exits_2(folder, args, says):
    done = lbcheck(folder, "traffic", *args)
    assert done.returncode == 2
    assert says in done.stderr
    assert not done.stdout


def test_an_error_in_the_config_exits_1_and_gives_no_shares(folder):
    (folder / "nginx.conf").write_text(CONFIG.replace("listen 80;", "listen 80"))
    done = lbcheck(folder, "traffic", "--output-format", "json", ".")
    assert done.returncode == 1
    written = json.loads(done.stdout)
    assert "E09" in written["not_checked"][0]["reason"]
    assert all(server["share"] is None for pool in written["pools"] for server in pool["servers"])


def test_nothing_found_exits_3(tmp_path):
    assert lbcheck(tmp_path, "traffic", ".").returncode == 3


def test_declared_machines_and_demand(folder):
    (folder / "lbcheck.toml").write_text(
        '[[capacity]]\nmatch = "app/*"\nlimit = 100\n[[demand]]\nfrontend = "app.test"\npeak = 200\n'
    )
    servers = pools(lbcheck(folder, "traffic", "--output-format", "json", "."))[0]["servers"]
    assert [(server["load"], server["capacity"], server["standing"]) for server in servers] == [
        (150.0, 100.0, "hot"),
        (50.0, 100.0, "fair"),
    ]


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [
        ("html", "<!doctype html>"),
        ("svg", "<svg xmlns="),
        ("md", "### Where the traffic goes"),
        ("mmd", "flowchart LR"),
        ("txt", "nginx.conf\n  app "),
    ],
)
def test_pictures_beside(folder, suffix, begins):
    done = lbcheck(folder, "traffic", "nginx.conf", "--color", "always", "-o", f"shares.{suffix}")
    assert done.returncode == 0
    assert "\x1b[" in done.stdout
    written = (folder / f"shares.{suffix}").read_text("utf-8")
    assert written.startswith(begins)
    assert "\x1b" not in written


def test_a_terminal_without_colours_and_of_any_width(folder):
    done = lbcheck(folder, "traffic", "nginx.conf", env={"FORCE_COLOR": "1", "COLUMNS": "60"})
    assert "\x1b" not in done.stdout  # NO_COLOR is set, and wins
    assert "75 %" in done.stdout
    assert max(map(len, done.stdout.split("\n"))) <= 60


def test_each_named_loss_is_told(folder):
    done = lbcheck(folder, "traffic", "nginx.conf", "--lose", "10.0.0.1:80", "--lose", "app/10.0.0.2:80")
    assert done.returncode == 0
    assert "without 10.0.0.1:80: no request fails" in done.stdout
    assert "without 10.0.0.2:80: no request fails" in done.stdout


@pytest.mark.parametrize("line", ["dispatch 10.0.0.9:80", "default_backend app", "stats enable"])
def test_what_needs_no_server_is_not_said_to_be_answered(folder, line):
    (folder / "haproxy.cfg").write_text(
        f"listen web\n mode http\n bind :80\n {line}\nbackend app\n mode http\n server a 10.0.0.1:80\n"
    )
    done = lbcheck(folder, "traffic", "haproxy.cfg")
    assert "no server of it needed" in done.stdout
    assert "answered by the proxy itself" not in done.stdout


NOWHERE = "global\ndefaults\n  mode http\nfrontend web\n  bind :80\n  default_backend nope\n"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("text", "✕ web every request (100 %) → no pool is named nope"),
        ("json", '"unserved": 1.0'),
        ("markdown", "- ✕ web, every request: no pool is named nope"),
        ("mermaid", '"no pool is named nope"]:::nobody'),
        ("svg", "no pool is named nope"),
        ("html", "✕ no pool is named nope"),
    ],
)
def test_a_pool_that_does_not_exist_is_told_in_every_format(tmp_path, form, says):
    (tmp_path / "haproxy.cfg").write_text(NOWHERE)
    done = lbcheck(tmp_path, "traffic", ".", "--output-format", form)
    assert done.returncode == 1
    assert says in done.stdout
    if form not in {"json", "mermaid"}:
        assert "1 route leads to no pool; 0 pools" in done.stdout


def test_a_part_of_a_config_may_lack_the_pool(tmp_path):
    (tmp_path / "haproxy.cfg").write_text(NOWHERE.partition("http\n")[2])
    done = lbcheck(tmp_path, "traffic", ".")
    assert done.returncode == 0
    assert "haproxy.cfg:3: no pool named nope was" in done.stdout
    assert "1 place not checked" in lbcheck(tmp_path, "check", ".").stdout


UNSURE = """\
global
defaults
  mode http
frontend web
  bind :80
  default_backend app
backend app
  server one 10.0.0.1:80 frobnicate
  server two 10.0.0.2:80
backend plain
  server one 10.0.0.1:80
"""


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("text", "? `frobnicate` in line 8 is not understood: what is said of this pool holds if it does not matter"),
        ("markdown", "- `app` ? `frobnicate` in line 8 is not understood"),
        ("mermaid", "#96;frobnicate#96; in line 8"),
        ("svg", "? `frobnicate` in line 8 is"),
        ("html", "? <bdi>`frobnicate` in line 8 is not understood"),
    ],
)
def test_a_line_that_is_not_understood_is_told_beside_the_shares(tmp_path, form, says):
    (tmp_path / "haproxy.cfg").write_text(UNSURE)
    done = lbcheck(tmp_path, "traffic", ".", "--output-format", form, env={"COLUMNS": "160"})
    assert done.returncode == 0
    assert says in done.stdout
    assert "very server gets its fair share" not in done.stdout


PLAIN = UNSURE.replace(" frobnicate", "")


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("haproxy.cfg", UNSURE, "`frobnicate` in line 8"),
        (
            "haproxy.cfg",
            PLAIN.replace("app\n  server", "app\n  fro ni\n  server"),
            "`fro` in line 8",
        ),
        (
            "haproxy.cfg",
            PLAIN.replace("mode http\n", "mode http\n  fro ni\n"),
            "`fro` in line 4",
        ),
        ("nginx.conf", CONFIG.replace("weight=3", "weight=3 srun_id=a"), "`srun_id` in line 4"),
        ("nginx.conf", CONFIG.replace("app {", "app { frobnicate;"), "`frobnicate` in line 3"),
    ],
)
def test_shares_of_a_pool_with_such_a_line_are_not_exact(tmp_path, path, text, line):
    (tmp_path / path).write_text(text)
    first, *others = pools(lbcheck(tmp_path, "traffic", ".", "--output-format", "json"))
    assert not first["exact"]
    assert first["notes"] == [f"{line} is not understood: what is said of this pool holds if it does not matter"]
    assert not any(loss["exact"] for loss in first["losses"])
    assert all(other["exact"] and not other["notes"] for other in others) or "line 4" in line
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / path).write_text(text.replace("10.0.0.2", "10.0.0.3"))
    changed = json.loads(lbcheck(tmp_path, "diff", path, f"new/{path}", "--output-format", "json").stdout)["pools"][0]
    assert (changed["exact"], changed["before"]["notes"]) == (False, first["notes"])
    shown = lbcheck(tmp_path, "diff", path, f"new/{path}", env={"COLUMNS": "160"})
    assert "in doubt: a line is not understood" in shown.stdout


NAMED = CONFIG.replace("10.0.0.2:80", "api.test:80").replace("http {", "http {\n    upstream b { server b.test; }")


@pytest.mark.parametrize("form", ["text", "markdown", "svg", "html"])
def test_host_names_that_count_as_one_server_are_told_once(folder, form):
    (folder / "nginx.conf").write_text(NAMED)
    says = "count as one server each"
    shown = lbcheck(folder, "traffic", ".", "--output-format", form, env={"COLUMNS": "160"}).stdout
    assert shown.count(says) == (2 if form == "html" else 1)  # a page has a wide and a narrow drawing
    assert "b.test, api.test:80" in shown.replace("`", "")
    (folder / "lbcheck.toml").write_text('[hosts]\n"api.test" = 1\n"b.test" = 2\n')
    assert says not in lbcheck(folder, "traffic", ".", "--output-format", form).stdout


def test_host_names_that_count_as_one_server_in_json(folder):
    (folder / "nginx.conf").write_text(NAMED)
    (folder / "lbcheck.toml").write_text('[hosts]\n"b.test" = 2\n')
    (folder / "haproxy.cfg").write_text("global\nbackend c\n  server one c.test:80\n")  # HAProxy takes one address
    found = pools(lbcheck(folder, "traffic", ".", "--output-format", "json"))
    assert {server["name"]: server["unresolved"] for pool in found for server in pool["servers"]} == {
        "10.0.0.1:80": False,
        "api.test:80": True,
        "b.test": False,
        "one": False,
    }


BACKENDS = """\
global
backend tpl
  server-template web 3 app.test:80
  server x 10.0.0.1:80
backend off
  disabled
  server a 10.0.0.2:80 check
  server b 10.0.0.3:80 check
"""


def test_servers_of_a_template_are_counted_one_by_one(tmp_path):
    (tmp_path / "haproxy.cfg").write_text(BACKENDS)
    assert "a server-template makes its servers (4 servers)" in lbcheck(tmp_path, "traffic", ".").stdout
    assert "| `tpl` | 4 servers |" in lbcheck(tmp_path, "traffic", ".", "--output-format", "markdown").stdout


def test_a_disabled_backend_has_nothing_to_lose(tmp_path):
    (tmp_path / "haproxy.cfg").write_text(BACKENDS)
    shown = lbcheck(tmp_path, "traffic", ".").stdout
    assert "without a" not in shown
    assert "starve" not in shown
    off = pools(lbcheck(tmp_path, "traffic", ".", "--output-format", "json"))[1]
    assert (off["unserved"], off["losses"]) == (1.0, [])
    assert {(server["enabled"], server["standing"]) for server in off["servers"]} == {(False, "idle")}
    assert "without a:" in lbcheck(tmp_path, "traffic", ".", "--lose", "a").stdout
