from __future__ import annotations

import pytest
from checks.read import severities

RESOLVERS = "resolvers dns\n  nameserver one 127.0.0.1:53\n"


@pytest.mark.parametrize(
    "lines",
    [
        ["server-template a 3 app.internal:80"],
        ["server-template a 1-2 app:80 init-addr last,libc,none"],
        ["server-template a 3 app.internal:80 resolvers dns", "server-template b 3 app.internal:80"],
        ["server-template a 3 app.internal:80", "server-template b 3 db.internal:80"],
    ],
)
def test_all_get_one_address(lines):
    assert severities("P13", *lines, before=RESOLVERS) == [""]


@pytest.mark.parametrize(
    "line",
    [
        "server-template a 3 10.0.0.1:80",
        "server-template a 3 app.internal:80 resolvers dns",
        "server-template a 3 app.internal:80 disabled",
        "server-template a 3 app.internal:80 init-addr none",
        "server-template a 3 app.internal:80 init-addr last,127.0.0.1",
        "server-template a 1 app.internal:80",
        "server-template a 3 ${APP}:80",
        "server a app.internal:80",
    ],
)
def test_somebody_else_fills_the_slots(line):
    assert severities("P13", line, before=RESOLVERS) == []


def test_default_server_may_name_the_resolvers():
    lines = ("default-server resolvers dns", "server-template a 3 app.internal:80")
    assert severities("P13", *lines, before=RESOLVERS) == []


def test_a_piece_of_a_config_may_have_its_defaults_elsewhere():
    assert severities("P13", "server-template a 3 app.internal:80", defaults="") == []
