"""What nginx does about a lost server, as it was predicted: which requests fail, when it is out, what others wait."""

from __future__ import annotations

import time
from itertools import pairwise

import proxies
import pytest
from checks.read import config
from traffic.outages import predicted, routes_to

from lbcheck.model import Setting
from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.losses import losses
from lbcheck.traffic.scenario import ERRORS, HANGS, KINDS, REFUSES, Scenario

pytestmark = proxies.needs_nginx

LOST = 1
CYCLES = 3
SLACK = 1.0
#: Lines of a location and parameters of the servers.
REQUESTS = {
    "default": ("", "max_fails=0"),
    "off": ("proxy_next_upstream off;", "max_fails=0"),
    "error": ("proxy_next_upstream error;", "max_fails=0"),
    "timeout": ("proxy_next_upstream timeout;", "max_fails=0"),
    "errors": ("proxy_next_upstream error timeout http_500 non_idempotent;", "max_fails=0"),
    "once": ("proxy_next_upstream_tries 1;", "max_fails=0"),
    "twice": ("proxy_next_upstream_tries 2;", "max_fails=0"),
    "no_time": ("proxy_next_upstream_timeout 100ms;", "max_fails=0"),
    "some_time": ("proxy_next_upstream_timeout 20s;", "max_fails=0"),
    "no_time_out": ("", "fail_timeout=0"),
}
#: The same for servers that are taken out, and what must happen.
NOTICED = {
    "first": ("proxy_next_upstream off;", "fail_timeout=1h", 1),
    "third": ("proxy_next_upstream off;", "max_fails=3 fail_timeout=1h", 3),
    "tries": ("proxy_next_upstream_tries 1;", "max_fails=2 fail_timeout=1h", 2),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(3) as servers:
        yield servers


@pytest.fixture(scope="module")
def outage(tmp_path_factory, backend, kind):
    """A client of an nginx that has lost a server, and the losses that were predicted."""
    port = proxies.free_port()
    text = [f"server {{ listen 127.0.0.1:{port}; proxy_connect_timeout 150ms;"]
    text += ["add_header X-Tried $upstream_addr always;"]
    cases = {**REQUESTS, **{name: case[:2] for name, case in NOTICED.items()}, "post": _POSTED, "alone": ("", "")}
    for name, (lines, _) in cases.items():
        text.append(f"location /{name}/ {{ proxy_pass http://{name}; {lines} }}")
    text.append("}")
    for name, (_, parameters) in cases.items():
        addresses = backend.addresses[LOST : LOST + 1] if name == "alone" else backend.addresses
        text.append(f"upstream {name} {{ {' '.join(f'server {at} {parameters};' for at in addresses)} }}")
    blocks = "\n".join(text)
    whole = f"events {{}}\nhttp {{\n{blocks}\n}}"
    found = predicted("nginx", whole, kind, backend.addresses[LOST])
    lose = {REFUSES: backend.refuse, HANGS: backend.hang, ERRORS: backend.fail}[kind]
    folder = tmp_path_factory.mktemp("nginx")
    with proxies.nginx(folder, blocks, port), proxies.Client(port) as client:
        lose(LOST)
        yield client, {name: losses[0] for name, losses in found.items()}
        backend.restore(LOST)


_POSTED = ("proxy_next_upstream error timeout http_500;", "max_fails=0")


def ask(client, name, count=3 * CYCLES, **how):
    return [client.answer_to(f"/{name}/", **how) for _ in range(count)]


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_that_fail_until_then(outage, name):
    client, losses = outage
    answers = ask(client, name)
    loss = losses[name]
    assert loss.detection_s is None
    failed = sum(answer.status != 200 for answer in answers)
    assert failed / len(answers) == pytest.approx(loss.failed_share, abs=1e-12), loss.detection
    saved = max(answer.seconds for answer in answers if answer.status == 200)
    assert (loss.delay_s or 0.0) <= saved + 0.01
    assert saved < (loss.delay_s or 0.0) + SLACK


def test_errors_go_on_where_nobody_notices(outage):
    client, losses = outage
    answers = ask(client, "off")
    loss = losses["off"]
    counts = [sum(answer.status == 200 and answer.server == at for answer in answers) for at in range(3)]
    assert [count / len(answers) for count in counts] == pytest.approx([one.share for one in loss.servers])
    assert 1 - sum(counts) / len(answers) == pytest.approx(loss.unserved)


def test_others_take_over_where_nobody_notices(outage):
    """Each request that meets the lost server goes on, and the others share them by weight."""
    client, losses = outage
    loss = losses["errors"]
    answers = ask(client, "errors", 60)
    assert {answer.status for answer in answers} == {200}
    counts = [sum(answer.server == at for answer in answers) / len(answers) for at in range(3)]
    assert counts == pytest.approx([one.share for one in loss.servers], abs=0.02)


@pytest.mark.parametrize("name", NOTICED)
def test_failures_until_it_is_out(outage, kind, backend, name):
    client, losses = outage
    loss = losses[name]
    if kind == ERRORS:
        assert loss.detection_s is None
        return
    assert loss.detection_s == pytest.approx(3600.0 + (0.15 if kind == HANGS else 0.0))
    fails = NOTICED[name][2]
    answers = ask(client, name, 3 * fails)
    assert sum(answer.status != 200 for answer in answers) / len(answers) == pytest.approx(loss.failed_share)
    rest = ask(client, name, 12)
    assert not any(backend.addresses[LOST] in answer.headers["x-tried"] for answer in rest)
    counts = [sum(answer.server == at for answer in rest) / len(rest) for at in range(3)]
    assert counts == pytest.approx([one.share for one in loss.servers], abs=0.05)


@pytest.mark.parametrize("fails", [1, 3])
def test_then_one_request_fails_each_time_it_is_tried_again(tmp_path, fails):
    """`max_fails` requests fail, then one every `fail_timeout`, however many there are; nginx counts whole seconds."""
    port = proxies.free_port()
    failed = []
    with proxies.Servers(3) as backend:
        lines = " ".join(f"server {at} max_fails={fails} fail_timeout=1s;" for at in backend.addresses)
        text = f"upstream u {{ {lines} }} server {{ listen 127.0.0.1:{port};"
        text += " location / { proxy_pass http://u; proxy_next_upstream off; } }"
        loss = predicted("nginx", f"events {{}}\nhttp {{\n{text}\n}}", REFUSES, backend.addresses[LOST])["u"][0]
        assert (loss.failed_requests, loss.again_s) == (fails, 1.0)
        backend.refuse(LOST)
        with proxies.nginx(tmp_path, text, port), proxies.Client(port) as client:
            start = time.monotonic()
            while time.monotonic() < start + 5.0:
                if client.answer_to("/").status != 200:
                    failed.append(time.monotonic() - start)
                time.sleep(0.002)
    assert failed[fails - 1] < 0.5, failed
    gaps = [after - before for before, after in pairwise(failed[fails:])]
    assert len(gaps) >= 1
    assert all(1.0 <= gap <= 2.5 for gap in gaps), failed


def test_only_server_is_never_out(outage, kind):
    client, losses = outage
    loss = losses["alone"]
    assert (loss.detection_s, loss.failed_share, loss.unserved) == (None, 1.0, 1.0)
    assert all(answer.status >= 500 for answer in ask(client, "alone", 4)), kind


def test_posts_are_not_sent_twice(outage, kind):
    """A request that was not sent may go on whatever its method; one answered with a 500 must be idempotent."""
    client, losses = outage
    loss = losses["post"]
    gets = [answer.status for answer in ask(client, "post")]
    posts = [answer.status for answer in ask(client, "post", method="POST", Content_Length=0)]
    assert set(gets) == {200}
    if kind == ERRORS:
        assert loss.failed_share is None
        assert "POST" in loss.detection
        assert posts.count(500) == CYCLES
    else:
        assert loss.failed_share == 0.0
        assert set(posts) == {200}


def test_server_is_tried_again_after_fail_timeout(tmp_path):
    port = proxies.free_port()
    with proxies.Servers(3) as backend:
        lines = " ".join(f"server {at} fail_timeout=1s;" for at in backend.addresses)
        text = f"upstream u {{ {lines} }} server {{ listen 127.0.0.1:{port};"
        text += " add_header X-Tried $upstream_addr always; location / { proxy_pass http://u; } }"
        loss = predicted("nginx", f"events {{}}\nhttp {{\n{text}\n}}", REFUSES, backend.addresses[LOST])["u"][0]
        assert loss.detection_s == 1.0
        backend.refuse(LOST)
        with proxies.nginx(tmp_path, text, port), proxies.Client(port) as client:
            tried = []
            for _ in range(2):
                answers = ask(client, "", 6)
                assert {answer.status for answer in answers} == {200}
                tried.append(sum("," in answer.headers["x-tried"] for answer in answers))
                time.sleep(2.1)
    assert tried == [1, 1]


def test_requests_that_meet_two_lost_servers(tmp_path):
    """Two of four are lost, and a request is tried twice: a third of those that go on meet the other lost one."""
    port = proxies.free_port()
    with proxies.Servers(4) as backend:
        lines = " ".join(f"server {at} max_fails=0;" for at in backend.addresses)
        text = f"upstream u {{ random; {lines} }} server {{ listen 127.0.0.1:{port};"
        text += " proxy_next_upstream_tries 2; location / { proxy_pass http://u; } }"
        made = config("nginx", f"events {{}}\nhttp {{\n{text}\n}}")
        for at, one in enumerate(made.pools[0].servers):
            one.zone = Setting("lost" if at < 2 else "kept")
        (loss,) = losses(made.pools[0], "nginx", Scenario(lose_zones=("lost",)), routes_to(made.pools[0], made))
        assert loss.failed_share == pytest.approx(1 / 6)
        assert "estimated" in loss.detection
        backend.refuse(0)
        backend.refuse(1)
        with proxies.nginx(tmp_path, text, port), proxies.Client(port) as client:
            failed = sum(answer.status != 200 for answer in ask(client, "", 1500))
    parts = [loss.failed_share, 1 - loss.failed_share]
    assert chi_square_p([failed, 1500 - failed], parts) > IMPOSSIBLE, failed
