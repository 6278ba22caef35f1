from __future__ import annotations

import pytest
from checks.read import backend, found, severities

NAME = "server a app.internal:80"
DNS = "resolvers dns\n  nameserver one 127.0.0.1:53\n"


@pytest.mark.parametrize(
    ("init", "alone", "resolved"),
    [
        ("", [], ["info"]),
        ("init-addr none", [""], []),
        ("init-addr last,none", [""], []),
        ("init-addr none,libc", [""], []),  # `none` always succeeds: HAProxy 2.6 never asks libc here
        ("init-addr libc,none", [], []),
        ("init-addr last,libc", [], ["info"]),
        ("init-addr last,10.0.0.9", [], ["warning"]),
        ("init-addr 10.0.0.9,none", [], ["warning"]),
        ("init-addr 2001:db8::9,none", [], ["warning"]),
    ],
)
def test_where_the_first_address_comes_from(init, alone, resolved):
    assert severities("N05", f"{NAME} {init}") == alone
    assert severities("N05", f"{NAME} resolvers dns {init}", before=DNS) == resolved
    assert severities("N05", f"server a 10.0.0.1:80 {init}") == []


def test_the_init_addr_is_shown_as_it_is_written():
    (hit,) = found("N05", "haproxy", backend(f"{NAME} init-addr none,libc"))
    assert "`init-addr none,libc`" in hit.args["problem"]
    assert hit.args["fix"].endswith("`init-addr last,libc,none`")
