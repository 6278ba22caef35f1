"""What HAProxy does about a lost server, as it was predicted: which requests fail, and for how long."""

from __future__ import annotations

import time

import proxies
import pytest
from traffic.outages import predicted

from lbcheck.traffic.algorithms import chash, hashes, maps
from lbcheck.traffic.scenario import ERRORS, HANGS, KINDS, REFUSES

pytestmark = proxies.needs_haproxy

LOST = 1
CYCLES = 3
#: How much later than predicted something may be on a busy machine.
SLACK = 1.0
KEYS = [f"key-{number}" for number in range(12)]
#: Lines of a backend that say what becomes of requests; its checks are far too rare to notice anything.
REQUESTS = {
    "default": "",
    "no_retry": "retries 0\noption redispatch",
    "once": "retries 1",
    "redispatch": "retries 2\noption redispatch",
    "redispatch_each": "retries 2\noption redispatch 1",
    "redispatch_second": "retries 3\noption redispatch 2\nbalance leastconn",
    "redispatch_static": "retries 1\noption redispatch\nbalance static-rr",
    "never_on": "retries 2\noption redispatch\nretry-on none",
    "on_errors": "retries 2\noption redispatch\nretry-on conn-failure 500",
    "on_all": "retries 1\noption redispatch\nretry-on all-retryable-errors",
    "on_errors_alone": "retries 1\nretry-on 500",
    "only_errors": "retries 2\noption redispatch\nretry-on 500",
}
HASHED = {
    "map": "retries 2\noption redispatch\nbalance hdr(x-key)",
    "ring": "retries 2\noption redispatch\nbalance hdr(x-key)\nhash-type consistent",
    "ring_each": "retries 2\noption redispatch 1\nbalance hdr(x-key)\nhash-type consistent",
    "ring_alone": "retries 1\nbalance hdr(x-key)\nhash-type consistent",
}
BOUND = {
    "cookie": "retries 2\noption redispatch\ncookie S insert",
    "cookie_each": "retries 2\noption redispatch 1\ncookie S insert",
    "cookie_alone": "retries 1\ncookie S insert",
}
#: Lines of a backend and options of its servers that say when a loss is noticed.
CHECKS = {
    "tcp": ("", "check inter 300ms fall 2"),
    "slow": ("", "check inter 1s fall 3"),
    "fast": ("", "check inter 500ms fastinter 100ms fall 3"),
    "http": ("option httpchk GET /", "check inter 300ms fall 2"),
    "patient": ("timeout check 200ms\noption httpchk GET /", "check inter 600ms fall 2"),
    "expecting": ("option httpchk GET /\nhttp-check expect status 200-299", "check inter 300ms fall 1"),
    "content_with_errors": ("option httpchk GET /\nhttp-check expect rstatus ^[25]", "check inter 300ms fall 1"),
    "following": ("", "track tcp/s{at}"),
    "unchecked": ("", ""),
}
#: Kinds of loss that the checks of these backends see.
SEEN = {
    "tcp": {REFUSES, HANGS},
    "slow": {REFUSES, HANGS},
    "fast": {REFUSES, HANGS},
    "http": {REFUSES, HANGS, ERRORS},
    "patient": {REFUSES, HANGS, ERRORS},
    "expecting": {REFUSES, HANGS, ERRORS},
    "content_with_errors": {REFUSES, HANGS},
    "following": {REFUSES, HANGS},
    "unchecked": set(),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


def written(addresses, port):
    """Return a config but for its first line, `global`. HAProxy would spread first checks over the longest interval."""
    text = [
        "max-spread-checks 200ms",
        "defaults",
        "mode http",
        "timeout client 30s",
        "timeout server 30s",
        "timeout connect 150ms",
    ]
    text += ["frontend f", f"bind 127.0.0.1:{port}"]
    text += [
        f"http-request return status 200 hdr X-Server %[nbsrv({name})] if {{ path /up/{name} }}" for name in CHECKS
    ]
    text += ["use_backend %[path,field(2,/)]"]
    for name, lines in {**REQUESTS, **HASHED, **BOUND}.items():
        text += [f"backend {name}", *lines.split("\n")]
        text += [f"server s{at} {address} cookie c{at} check inter 10m" for at, address in enumerate(addresses)]
    for name, (lines, options) in CHECKS.items():
        text += [f"backend {name}", *lines.split("\n")]
        text += [f"server s{at} {address} {options.format(at=at)}" for at, address in enumerate(addresses)]
    return "\n".join(text)


class Outage:
    """A HAProxy that has lost a server, the losses that were predicted, and when each backend noticed."""

    def __init__(self, client, losses):
        self.client = client
        self.losses = losses
        self.noticed = {}

    def watch(self, start, seconds):
        while time.monotonic() - start < seconds:
            for name in CHECKS:
                if name not in self.noticed and self.client.ask(f"/up/{name}") < 3:
                    self.noticed[name] = time.monotonic() - start
            time.sleep(0.01)


@pytest.fixture(scope="module")
def outage(tmp_path_factory, kind):
    port = proxies.free_port()
    with proxies.Servers(3) as backend:
        text = written(backend.addresses, port)
        losses = {
            name: found[0] for name, found in predicted("haproxy", f"global\n{text}", kind, f"s{LOST}").items() if found
        }
        folder = tmp_path_factory.mktemp("haproxy")
        with proxies.haproxy(folder, text, port), proxies.Client(port) as client:
            time.sleep(1.5)  # a server that has passed a check takes all of `fall` failures
            found = Outage(client, losses)
            longest = max(loss.detection_s or 0 for loss in losses.values() if (loss.detection_s or 0) < 60)
            start = time.monotonic()
            {REFUSES: backend.refuse, HANGS: backend.hang, ERRORS: backend.fail}[kind](LOST)
            found.watch(start, longest + SLACK)
            yield found


def ask(outage, name, **headers):
    count = len(next(iter(headers.values()), [None] * 3 * CYCLES))
    return [
        outage.client.answer_to(f"/{name}/", **{header: values[at] for header, values in headers.items()})
        for at in range(count)
    ]


def hold_delays(answers, loss):
    saved = [answer.seconds for answer in answers if answer.status == 200]
    if loss.delay_s is None:
        assert max(saved) < SLACK
    else:
        assert loss.delay_s <= max(saved) + 0.01
        assert max(saved) < loss.delay_s + SLACK


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_that_fail_until_then(outage, name):
    answers = ask(outage, name)
    loss = outage.losses[name]
    failed = sum(answer.status != 200 for answer in answers)
    assert failed / len(answers) == pytest.approx(loss.failed_share, abs=1e-12), loss.detection
    hold_delays(answers, loss)


@pytest.mark.parametrize("name", HASHED)
def test_hashed_requests_that_fail_until_then(outage, name):
    consistent = name != "map"
    values = [hashes.key_hash(key.encode(), avalanche=consistent) for key in KEYS]
    tree, table = chash.Tree([1, 2, 3], [1, 1, 1]), maps.slots([1, 1, 1])
    homes = [tree.server_for(value) if consistent else maps.server_for(table, value) for value in values]
    answers = ask(outage, name, X_Key=KEYS)
    loss = outage.losses[name]
    assert LOST in homes
    for home, answer in zip(homes, answers, strict=True):
        assert (answer.status != 200) == (home == LOST and loss.failed_share > 0), loss.detection
    hold_delays(answers, loss)


@pytest.mark.parametrize("name", BOUND)
def test_clients_with_a_cookie_until_then(outage, name):
    answers = ask(outage, name, Cookie=[f"S=c{LOST}"] * 3)
    loss = outage.losses[name]
    assert {answer.status != 200 for answer in answers} == {loss.failed_share > 0}, loss.detection
    if loss.failed_share == 0:
        hold_delays(answers, loss)


@pytest.mark.parametrize("name", CHECKS)
def test_time_until_it_is_noticed(outage, kind, name):
    loss = outage.losses[name]
    if kind not in SEEN[name]:
        assert loss.detection_s is None
        assert name not in outage.noticed, outage.noticed
        return
    assert name in outage.noticed, loss.detection
    took = outage.noticed[name]
    first = {"slow": 1.0, "fast": 0.5, "patient": 0.6}.get(
        name, 0.3
    )  # the loss may come right before a check, or right after one
    assert loss.detection_s - first - 0.02 <= took <= loss.detection_s + SLACK, loss.detection


def test_nobody_gets_an_error_once_it_is_noticed(outage, kind):
    for name in (one for one in CHECKS if kind in SEEN[one]):
        answers = ask(outage, name)
        assert {answer.status for answer in answers} == {200}
        counts = [sum(answer.server == at for answer in answers) / len(answers) for at in range(3)]
        assert counts == pytest.approx([survivor.share for survivor in outage.losses[name].servers], abs=0.12)


def test_errors_go_on_where_nobody_notices(outage):
    """The others' shares stay, and what the lost server gets fails for good."""
    loss = outage.losses["unchecked"]
    answers = ask(outage, "unchecked")
    assert sum(answer.status != 200 for answer in answers) / len(answers) == pytest.approx(loss.unserved)
    counts = [sum(answer.status == 200 and answer.server == at for answer in answers) for at in range(3)]
    assert [count / len(answers) for count in counts] == pytest.approx([one.share for one in loss.servers])
