from __future__ import annotations

import pytest
from checks.build import config, frontend, hits, span, written
from checks.lines import Text

from lbcheck.checks.fairness import times
from lbcheck.checks.weights import weight_implicit, weight_outlier
from lbcheck.checks.zeros import weight_all_zero, weight_zero
from lbcheck.model import Route, Setting, WeightedTarget
from lbcheck.traffic.algorithms import shares


def found(check, *members, dialect="nginx", name="app", comment="", **fields):
    text = Text()
    return hits(check, config(text.pool(name, *members, comment=comment, **fields), dialect=dialect))


@pytest.mark.parametrize("weights", [(100, 100, 10), (10, 10, 10, 1), (5, 5, 500), (100, 100, 1), (2, 20, 2)])
def test_an_odd_weight_that_is_a_power_of_ten_away_is_a_slip(weights):
    (hit,) = found(weight_outlier, *weights)
    odd = next(weight for weight in weights if weights.count(weight) == 1)
    assert hit.args["weight"] == odd
    assert hit.span.text == str(odd)
    assert [edit.text for edit in hit.fix.edits] == [str(hit.args["common"])]


@pytest.mark.parametrize(
    "weights", [(10, 1, 1), (100, 10), (100, 100, 20), (100, 100, None), (100, 10, 1), (5, 5, 5), (100, 100, 10, 10)]
)
def test_other_weights_are_no_slip(weights):
    assert not found(weight_outlier, *weights)


def test_a_canary_and_a_small_machine_are_no_slip():
    text = Text()
    canary = text.server("10.0.0.3:8080", 10, comment="# canary until Friday")
    assert not hits(weight_outlier, config(text.pool("app", text.server("a:1", 100), text.server("b:1", 100), canary)))
    sized = [text.server(f"10.0.0.{n}:80", weight, capacity=4 * weight) for n, weight in enumerate((100, 100, 10))]
    assert not hits(weight_outlier, config(text.pool("app", *sized)))
    assert not found(weight_outlier, 100, 100, 10, name="app-canary")
    assert not found(weight_outlier, 100, 100, 10, dialect="haproxy", algorithm="first")


def test_a_suppression_is_no_canary():
    text = Text()
    odd = text.server("10.0.0.3:8080", 10, comment="# lbcheck: ignore[D02] a new canary")
    assert hits(weight_outlier, config(text.pool("app", text.server("a:1", 100), text.server("b:1", 100), odd)))


def test_the_server_without_a_weight_is_named_and_can_be_given_one():
    (hit,) = found(weight_implicit, 100, 100, None)
    assert hit.span.text == "server 10.0.0.3:8080"
    assert hit.args["typical"] == 100
    (edit,) = hit.fix.edits
    assert (edit.text, edit.span.start) == (" weight=100", hit.span.end)
    assert found(weight_implicit, 100, None, dialect="haproxy")[0].fix.edits[0].text == " weight 100"


@pytest.mark.parametrize("weights", [(4, 4, None), (None, None), (100, 100), (10, None, None), (100, 1, None)])
def test_small_weights_and_a_lone_explicit_one_are_left_alone(weights):
    assert not found(weight_implicit, *weights)


def test_backups_and_disabled_servers_do_not_count():
    text = Text()
    aside = [text.server("10.0.0.8:80", backup=True), text.server("10.0.0.9:80", down=True)]
    assert not hits(weight_implicit, config(text.pool("app", text.server("a:1", 50), text.server("b:1", 50), *aside)))


def test_zero_weights_are_counted_once_for_a_pool():
    (hit,) = found(weight_zero, 10, 0, 0, 10, 10)
    assert (hit.server, hit.args["number"], hit.severity) == ("10.0.0.2:8080", 2, None)
    assert found(weight_zero, 10, 0, 0)[0].severity == "warning"


def test_a_drain_that_is_explained_is_fine():
    text = Text()
    drained = text.server("10.0.0.3:8080", 0, comment="# draining for kernel update")
    assert not hits(weight_zero, config(text.pool("app", text.server("a:1", 5), text.server("b:1", 5), drained)))
    assert not found(weight_zero, 0, 100)
    assert not found(weight_zero, 0, 0)
    assert not found(weight_zero, 5, 5, 0, options={"use-server": Setting(frozenset({"10.0.0.3:8080"}))})
    assert not found(weight_zero, 5, 5, 0, open="server-template")


def test_a_pool_of_zeros_serves_nothing_unless_a_backup_does():
    (hit,) = found(weight_all_zero, 0, 0)
    assert hit.severity == "warning"  # nothing in this config routes to it
    text = Text()
    app = text.pool("app", 0, 0)
    to = Route("/", span(), ((),), [WeightedTarget("app", span(), app)])
    (hit,) = hits(weight_all_zero, config(app, frontend("web", [to])))
    assert hit.severity == "error"
    text = Text()
    members = [text.server("a:1", 0), text.server("b:1", 0), text.server("c:1", backup=True)]
    (hit,) = hits(weight_all_zero, config(text.pool("app", *members)))
    assert hit.severity == "warning"
    assert not found(weight_all_zero, 0, 1)
    assert not hits(weight_all_zero, config(text.pool("off", text.server("d:1", 0, down=True))))


def split(*weights):
    targets = [
        WeightedTarget(f"p{n}", span(), None, Setting(1) if weight is None else written(weight))
        for n, weight in enumerate(weights)
    ]
    return config(frontend("web", [Route("/", span(), ((),), targets)]), dialect="native")


def test_targets_of_a_route_are_weighed_too():
    (hit,) = hits(weight_implicit, split(90, None))
    assert (hit.args["server"], hit.args["whole"], hit.route) == ("p1", "route /", "/")
    (hit,) = hits(weight_all_zero, split(0, 0))
    assert hit.args["parts"] == "2 pools"
    assert not hits(weight_implicit, split(90, 10))
    assert not hits(weight_all_zero, split(0, 1))


@pytest.mark.parametrize(("check", "weights"), [(weight_implicit, (10, None, 10)), (weight_outlier, (2, 20, 2))])
def test_times_are_those_of_the_traffic_where_it_can_be_computed(check, weights):
    (even,) = found(check, *weights)
    (ring,) = found(check, *weights, algorithm="hash_consistent")
    first, odd, last = shares(Text().pool("app", *weights, algorithm="hash_consistent"), "nginx").servers
    ratio = min(first, last) / odd
    assert even.args["ratio"] == "10"
    assert ring.args["ratio"] == times(ratio if check is weight_implicit else 1 / ratio) != "10"
