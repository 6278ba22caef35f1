"""Middlewares that answer by themselves: read, or counted as not checked, and never "0 % of the traffic moves"."""

from __future__ import annotations

import pytest
from dialects.traefik.asked import dynamic, told

PLAIN = dynamic()


def behind(middleware, router="middlewares: [e]", more=""):
    return dynamic(router, more=f"  middlewares:\n    e: {{{middleware}}}\n{more}")


@pytest.mark.parametrize(
    "text",
    [
        behind("redirectRegex: {regex: '.*', replacement: 'https://other.example.com/'}"),
        behind("redirectRegex: {regex: '^http://(.*)', replacement: 'https://$1'}"),
        behind("redirectScheme: {scheme: https}"),
        behind("chain: {middlewares: [f]}", more="    f: {redirectScheme: {scheme: https}}\n"),
        behind("redirectScheme: {scheme: http}", "middlewares: [e], tls: {}"),
    ],
    ids=["regex", "scheme by regex", "scheme", "chain", "back to plain"],
)
def test_what_redirects_every_request_leaves_the_pools_none(tmp_path, text):
    said = told(tmp_path, "diff", PLAIN, text, name="dynamic.yaml")
    assert any(line.startswith("rerouted: new: web") and line.endswith(": no pool") for line in said)
    assert said[-1].startswith("How much traffic moves is not known")
    assert not any("→" in line for line in told(tmp_path, "traffic", text, name="dynamic.yaml"))


@pytest.mark.parametrize(
    ("middleware", "note"),
    [
        (
            "redirectRegex: {regex: '^http://www.(.*)', replacement: 'http://$1'}",
            "redirectRegex of middleware e redirects",
        ),
        ("redirectRegex: {regex: '(.*)', replacement: 'http://$1'}", "redirectRegex of middleware e redirects"),
        ("basicAuth: {users: ['a:b']}", "basicAuth of middleware e refuses"),
        ("ipAllowList: {sourceRange: [10.0.0.0/8]}", "ipAllowList of middleware e refuses"),
        ("headers: {allowedHosts: [a.example.com]}", "headers of middleware e answers"),
        (
            "circuitBreaker: {expression: 'NetworkErrorRatio() > 0'}",
            "circuitBreaker of middleware e answers while it is open",
        ),
    ],
)
def test_what_may_answer_some_is_counted_as_not_checked(tmp_path, middleware, note):
    text = behind(middleware)
    assert any(
        line.endswith(f"which requests the {note}") for line in told(tmp_path, "traffic", text, name="dynamic.yaml")
    )
    said = told(tmp_path, "diff", PLAIN, text, name="dynamic.yaml")
    kind = middleware.partition(":")[0]
    assert f"rerouted: new: web, host exact x.example.com: pool a and pool b behind {kind}" in said
    assert said[-1].startswith("How much traffic moves is not known")
    assert told(tmp_path, "diff", text, text.replace("e: {", "e:  {"), name="dynamic.yaml")[-1].startswith("0 %")


@pytest.mark.parametrize(
    "text",
    [
        behind("redirectScheme: {scheme: https}", "middlewares: [e], tls: {}"),
        behind("redirectRegex: {regex: '^http://(.*)', replacement: 'https://$1'}", "middlewares: [e], tls: {}"),
        behind("stripPrefix: {prefixes: [/a]}"),
        behind("headers: {customRequestHeaders: {X-A: b}}"),
    ],
    ids=["https over TLS", "plain URLs over TLS", "prefix", "headers"],
)
def test_what_lets_every_request_through_is_silent(tmp_path, text):
    said = told(tmp_path, "traffic", text, name="dynamic.yaml")
    assert "web r (?) → a 50 %, b 50 %" in said
    assert not any(line.startswith("not checked") for line in said)


def test_a_middleware_of_another_provider_is_not_checked(tmp_path):
    said = told(tmp_path, "traffic", dynamic("middlewares: [e@kubernetescrd]"), name="dynamic.yaml")
    assert any(line.endswith("what middleware e@kubernetescrd does, which comes from kubernetescrd") for line in said)
