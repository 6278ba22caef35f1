"""What nginx and HAProxy say of a config, at the user's own places; and what they are not asked to run."""

from __future__ import annotations

import json

import proxies
import pytest
from cli.running import lbcheck
from rehearsal.configs import haproxy, nginx
from rehearsal.running import rehearsed
from rehearsal.sandboxes import needs_sandbox

pytestmark = [proxies.needs_nginx, proxies.needs_haproxy, needs_sandbox]


def written(text, marked):
    """Return line and column of the mark in a text, and the text without it."""
    before = text.partition(marked)[0]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(
    ("case", "word", "said"),
    [
        (nginx("    upstream app { server 10.0.0.1 wieght=3; }"), "wieght=3", 'invalid parameter "wieght=3"'),
        (nginx("    ubstream app { server 10.0.0.1; }"), "ubstream", 'unknown directive "ubstream"'),
        (
            nginx("    # ü\n    upstream app {\n        server\n            10.0.0.1\n            heavy;\n    }"),
            "heavy",
            'invalid parameter "heavy"',
        ),
        (
            nginx("    server { listen 8081;\n        listen 80;\n        listen 80; }"),
            "listen 80; }",
            "a duplicate listen",
        ),
        (
            nginx("    map $host $x { default 1; }\n    server { proxy_pass http://a; }"),
            "proxy_pass",
            "not allowed here",
        ),
        (haproxy("backend app\n    server a 10.0.0.1:80 wieght 3\n"), "wieght", "unknown keyword 'wieght'"),
        (haproxy("backend app\n    balance leastcon\n"), "balance", "balance only supports"),
        (haproxy("backend app\n    ballance source\n    server a 10.0.0.1:80\n"), "ballance", "unknown keyword"),
        (
            haproxy('frontend web\n    bind :80\n    http-request deny if "{ path -m exact /x }"\n'),
            '"{ path',
            "no such ACL",
        ),
    ],
)
def test_a_message_is_told_at_its_own_place(case, word, said, tmp_path):
    found = rehearsed(tmp_path, case)
    assert not found.accepted
    message = next(message for message in found.native if message.line is not None)
    assert (message.path, said in message.text) == (str(tmp_path / case[0]), True)
    assert message.line == written(case[1], word)[0]
    assert message.column is not None
    assert case[1].splitlines()[message.line - 1][message.column - 1 :].startswith(word)
    assert str(tmp_path) not in message.text


def test_a_message_of_an_included_file_is_told_there(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "app.conf").write_text("\nupstream app { server 10.0.0.1 wieght=3; }\n")
    found = rehearsed(tmp_path, nginx("    include conf.d/*.conf;"))
    (message,) = [message for message in found.native if message.line is not None]
    assert (message.path, message.line, message.column) == (str(tmp_path / "conf.d" / "app.conf"), 2, 32)


def test_a_fragment_is_asked_about_too(tmp_path):
    text = "upstream app { server app1:80; }\nserver { listen 80; location / { proxy_pass http://app; } }\n"
    assert rehearsed(tmp_path, ("site.conf", text), only_native=True).accepted
    found = rehearsed(tmp_path, ("site.conf", text.replace("listen 80", "listen 80 hard")), only_native=True)
    assert [(message.line, message.column) for message in found.native if message.line] == [(2, 20)]


def test_warnings_of_what_is_accepted_are_told(tmp_path):
    text = "frontend web\n    bind :80\n    use_backend b if FALSE\n    http-request deny\nbackend b\n"
    text = f"defaults\n    mode http\n{text}"
    (tmp_path / "haproxy.cfg").write_text(text)
    found = lbcheck(tmp_path, "rehearse", "--only-native", ".")
    assert (found.returncode, "haproxy accepts it" in found.stdout) == (0, True)
    assert "haproxy.cfg:6:5: [WARNING] config : a 'http-request' rule placed after" in found.stdout
    assert "[WARNING] config : missing timeouts for frontend 'web'." in found.stdout


def test_the_name_of_this_machine_is_no_message(tmp_path):
    text = "peers pair\n    peer lb1 192.168.1.10:1024\n    peer lb2 192.168.1.11:1024\n"
    text += "listen web\n    bind :80\n    stick-table type ip size 1m peers pair\n    server a 10.0.0.1:80\n"
    (tmp_path / "haproxy.cfg").write_text(haproxy(text)[1])
    found = lbcheck(tmp_path, "rehearse", "--only-native", ".")
    assert (found.returncode, "no peer named" in found.stdout) == (0, False)
    assert found.stdout.endswith("\n1 config accepted\n")


def test_control_characters_are_escaped(tmp_path):
    name = "esc\x1b[31m"
    (tmp_path / "nginx.conf").write_text(nginx(f'    "{name}" on;')[1])
    found = lbcheck(tmp_path, "rehearse", "--only-native", ".")
    assert (found.returncode, "\x1b" in found.stdout) == (1, False)
    assert "esc\\x1b[31m" in found.stdout
    found = lbcheck(tmp_path, "rehearse", "--only-native", "--output-format", "json", ".")
    assert "\x1b" not in found.stdout
    assert any(name in said["text"] for said in json.loads(found.stdout)["configs"][0]["native"])
