"""What HAProxy says of its servers' checks, and without which no server is lost."""

from __future__ import annotations

import asyncio

import pytest

from lbcheck.rehearsal.play.standing import Standing, read, standings, unpassed

STAT = """\
# pxname,svname,qcur,status,check_status,last_chk
web,FRONTEND,,OPEN,,
app,a,0,UP,L7OK,"HTTP status check returned code <3C>200<3E>"
app,b,0,UP 2/3,* L4TOUT,
app,c,0,DOWN,L7STS,"a, b"
app,d,0,no check,,
app,e,0,UP,INI,
app,f,0,UP 1/1 via app/a,,
app,BACKEND,0,UP,,

"""


def test_the_table_is_read():
    found = read(STAT)
    assert list(found) == [f"app/{name}" for name in "abcdef"]
    assert found["app/b"] == Standing("UP 2/3", "L4TOUT")
    assert [name for name, one in found.items() if one.passed] == ["app/a", "app/f"]
    assert read("") == {}


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ((), None),
        (("app/a", "app/f"), None),
        (("app/a", "app/b"), "no check of app/b passes here: the last one said L4TOUT"),
        (("app/c",), "no check of app/c passes here: the last one said L7STS"),
        (("app/e",), "no check of app/e passes here: none has ended yet"),
        (("app/x",), "no check of app/x passes here: HAProxy does not tell"),
    ],
)
def test_who_has_not_passed_is_named(names, why):
    assert unpassed(names, read(STAT)) == why


def test_where_nobody_answers_nothing_is_known(tmp_path):
    assert asyncio.run(standings(str(tmp_path / "nothing"))) == {}
