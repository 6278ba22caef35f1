"""T02, T04, T05 and T07 for Istio's routes: how often, on what, and how long."""

from __future__ import annotations

import pytest
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, SERVICE, codes, found, one

ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
    - RULE
      route: [{destination: {host: web}}]
"""


def told(*lines):
    text = ROUTE.replace("RULE", "\n      ".join(lines))
    return [code for code, _ in codes(one(text, SERVICE, DEPLOYMENT))]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["timeout: 5s", "retries: {attempts: 3, perTryTimeout: 2s}"], ["T02"]),
        (["timeout: 8s", "retries: {attempts: 3, perTryTimeout: 2s}"], []),
        (["retries: {attempts: 3, perTryTimeout: 2s}"], []),  # no timeout unless one is written
        (["timeout: 0s", "retries: {attempts: 3, perTryTimeout: 2s}"], []),
        (["timeout: 5s", "retries: {attempts: 0, perTryTimeout: 9s}"], []),
        (["timeout: 5s", "retries: {perTryTimeout: 9s}"], []),
        (['timeout: "${T}"', "retries: {attempts: 3, perTryTimeout: 2s}"], []),
    ],
)
def test_tries_that_do_not_fit(lines, expected):
    assert told(*lines) == expected


@pytest.mark.parametrize(
    ("retries", "expected"),
    [
        ("{attempts: 2, retryOn: '5xx'}", ["T07"]),
        ("{attempts: 2, retryOn: 'connect-failure, reset'}", ["T07"]),
        ("{attempts: 2, retryOn: 'connect-failure,refused-stream'}", []),
        ("{attempts: 2}", []),  # what is tried again then differs between versions
        ("{attempts: 2, retryOn: '5xx', perTryTimeout: 1s}", []),
        ("{attempts: 2, retryOn: '5xx', perTryTimeout: '${T}'}", []),
        ("{attempts: 2, retryOn: '${WORDS},5xx'}", []),
    ],
)
def test_the_first_try_takes_it_all(retries, expected):
    assert told("timeout: 6s", f"retries: {retries}") == expected


@pytest.mark.parametrize(
    ("method", "words", "expected"),
    [("POST", "5xx", ["T04"]), ("PATCH", "gateway-error", ["T04"]), ("GET", "5xx", []), ("POST", "refused-stream", [])],
)
def test_what_is_done_twice(method, words, expected):
    match = f"match: [{{method: {{exact: {method}}}}}]"
    assert [code for code in told(match, f"retries: {{attempts: 1, retryOn: {words}}}") if code != "R03"] == expected


@pytest.mark.parametrize(("attempts", "expected"), [(3, []), (4, ["T05"])])
def test_how_often(attempts, expected):
    assert told(f"retries: {{attempts: {attempts}, retryOn: 5xx}}") == expected
    assert told(f"retries: {{attempts: {attempts}, retryOn: connect-failure}}") == []


def test_advice_in_istios_words():
    text = ROUTE.replace("RULE", "timeout: 6s\n      retries: {attempts: 2, retryOn: 5xx}")
    (finding,) = found(one(text, SERVICE, DEPLOYMENT))
    assert finding.help == "set perTryTimeout, such as 2s for each try"
