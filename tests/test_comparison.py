"""Two folders or files compared: which findings come, go and stay, whatever was renamed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from repos import put

from lbcheck import comparison
from lbcheck.project import Request
from lbcheck.settings import from_text
from lbcheck.sides import of_paths
from lbcheck.traffic.scenario import Scenario

OUTAGE = Path(__file__).parent.parent / "fixtures" / "outage"
HTTP = """events {{}}
http {{
    upstream {name} {{
        zone app 64k;
        server 10.0.0.1:80 weight={weight};{note}
        server 10.0.0.2:80 weight=1;
    }}
    server {{
        listen 80;
        location / {{ proxy_pass http://{name}; }}
    }}
}}
"""


def text(weight=10, note="", name="app"):
    return HTTP.format(weight=weight, note=note, name=name)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compared(old="old", new="new", toml="", **request):
    settings = from_text(toml, str(Path.cwd() / "lbcheck.toml"))
    request = Request((), exclude=tuple(settings.exclude), **request)
    sides = of_paths(old, new, request)
    return comparison.diff(*sides, settings, Scenario())


def codes(old="old", new="new", **more):
    changes = compared(old, new, **more).changes
    return [found.code for found in changes.introduced], [found.code for found in changes.fixed], changes.unchanged


class TestFindings:
    def test_come_go_and_stay(self, folder):
        put(folder, {"old/a.conf": text(), "new/a.conf": text(1)})
        put(folder, {"old/b.conf": text(1), "new/b.conf": text()})
        put(folder, {"old/c.conf": text(), "new/c.conf": "# moved down\n" + text()})
        assert codes() == (["D01"], ["D01"], 1)

    def test_a_renamed_file(self, folder):
        put(folder, {"old/a.conf": text(), "new/lb/b.conf": text().replace("64k", "128k")})
        assert codes() == ([], [], 1)

    def test_two_files_of_any_names(self, folder):
        put(folder, {"one.conf": text(), "two.conf": text()})
        assert codes("one.conf", "two.conf") == ([], [], 1)
        put(folder, {"two.conf": text(name="other").replace("10.0.0", "10.9.9")})
        [first, *_] = compared("one.conf", "two.conf").changes.pools
        assert first.status == "added", "the same config, with another pool"

    def test_a_renamed_folder_with_includes(self, folder):
        main = (
            "events {}\nhttp { include conf.d/*.conf; server { listen 80; location / { proxy_pass http://app; } } }\n"
        )
        part = "upstream app {\n zone a 64k;\n server 10.0.0.1 weight=10;\n server 10.0.0.2 weight=1;\n}\n"
        put(folder, {"old/lb/nginx.conf": main, "old/lb/conf.d/app.conf": part})
        put(folder, {"new/balancer/nginx.conf": main, "new/balancer/conf.d/web.conf": part + "# the end\n"})
        assert codes() == ([], [], 1)

    def test_a_renamed_pool(self, folder):
        put(folder, {"old/a.conf": text(), "new/a.conf": text(name="web")})
        assert codes() == ([], [], 1)

    def test_a_changed_line_is_new(self, folder):
        put(folder, {"old/a.conf": text(10), "new/a.conf": text(20)})
        assert codes() == (["D01"], ["D01"], 0)

    def test_nothing_is_fixed_in_what_cannot_be_read(self, folder):
        put(folder, {"old/a.conf": text(), "new/a.conf": text() + "}\n"})
        found = compared().changes
        assert [finding.code for finding in found.introduced] == ["E01"]
        assert found.fixed == []
        assert [(pool.status, pool.moved) for pool in found.pools] == [("changed", None)]

    def test_deleted_and_added_files(self, folder):
        put(folder, {"old/a.conf": text(), "old/keep.conf": text(1), "new/keep.conf": text(1)})
        assert codes() == ([], ["D01"], 0)
        assert codes("new", "old") == (["D01"], [], 0)

    def test_an_empty_side(self, folder):
        put(folder, {"new/a.conf": text()})
        (folder / "old").mkdir()
        assert codes() == (["D01"], [], 0)
        assert codes("/dev/null", "new/a.conf") == (["D01"], [], 0)
        assert codes("new/a.conf", "/dev/null") == ([], ["D01"], 0)
        assert codes("old", "old") == ([], [], 0)

    def test_standard_input(self, folder):
        put(folder, {"new/nginx.conf": text(1)})
        found = compared("-", "new", stdin=text(), stdin_name="-").changes
        assert [pool.status for pool in found.pools] == ["changed"]
        assert [finding.place.path for finding in found.fixed] == ["-"]

    def test_comments_silence_in_both(self, folder):
        note = " # lbcheck: ignore[D01] meant"
        put(folder, {"old/a.conf": text(), "new/a.conf": text(note=note)})
        assert codes() == ([], ["D01"], 0)

    def test_an_unused_comment_for_a_change_is_none(self, folder):
        note = " # lbcheck: ignore[V04] meant"
        put(folder, {"old/a.conf": text(1), "new/a.conf": text(1, note=note)})
        assert codes() == ([], [], 0)

    def test_settings_mean_the_same_paths_on_both_sides(self, folder):
        for side in ("old", "new"):
            put(folder, {f"{side}/a/a.conf": text(), f"{side}/b/b.conf": text(), f"{side}/c/c.conf": text()})
        toml = 'exclude = ["new/b"]\n[per-file-ignores]\n"new/a/*" = ["D01"]\n'
        found = compared(toml=toml)
        assert (found.changes.introduced, found.changes.fixed, found.changes.unchanged) == ([], [], 1)
        assert len(found.changes.pools) == 2

    def test_files_of_one_config(self, folder):
        base = "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"
        for side in ("old", "new"):
            put(folder, {f"{side}/base.cfg": base, f"{side}/web.cfg": "frontend w\n bind :80\n default_backend b\n"})
            put(folder, {f"{side}/b.cfg": "backend b\n server a 10.0.0.1:80 check\n server b 10.0.0.2:80 check\n"})
        together = (("new/base.cfg", "new/web.cfg", "new/b.cfg"), ("elsewhere/a.cfg",))
        found = compared(together=together)
        assert (found.old.result.counts.configs, found.new.result.counts.configs) == (1, 1)
        assert [(pool.name, pool.status) for pool in found.changes.pools] == [("b", "unchanged")]


class TestOneCause:
    def test_empty_speaks_for_disabled(self, folder):
        put(folder, {"old/a.conf": text(1), "new/a.conf": text(1).replace("weight=1;", "down;")})
        assert codes()[0] == ["V02"]
        assert codes(toml='ignore = ["V02"]')[0] == ["P06"]

    def test_skew_speaks_for_growth(self, folder):
        put(folder, {"old/a.conf": text(1).replace("weight=1;", "weight=20;", 1), "new/a.conf": text(1).replace(
            "2:80 weight=1", "2:80 weight=50")})  # fmt: skip
        assert codes()[0] == ["D01"]
        assert codes(toml='ignore = ["D01"]')[0] == ["V04"]

    def test_growth_without_skew(self, folder):
        put(folder, {"old/a.conf": text(4), "new/a.conf": text(1).replace("2:80 weight=1", "2:80 weight=4")})
        assert codes() == (["V04"], [], 0)


class TestHiddenParts:
    def test_a_file_that_one_side_cannot_read(self, folder):
        put(folder, {"old/a.conf": text(1)})
        (folder / "new").mkdir()
        (folder / "new" / "a.conf").symlink_to("/etc/hostname")
        [pool] = compared().changes.pools
        assert (pool.status, pool.moved) == ("changed", None)
        assert "outside" in pool.reason
        [pool] = compared("new", "old").changes.pools
        assert (pool.status, pool.moved) == ("changed", None)
        assert pool.reason.startswith("before: ")


def test_the_outage(folder):
    for side in ("before", "after"):
        shutil.copytree(OUTAGE / side, folder / side)
    found = compared("before", "after").changes
    assert {(pool.name, pool.status, pool.moved and round(pool.moved, 2)) for pool in found.pools} == {
        ("shop", "changed", 0.5), ("checkout", "changed", 0.49), ("catalog", "unchanged", 0.0),
        ("shop_v2", "removed", None),
    }  # fmt: skip
    assert found.introduced == []
    assert sorted({finding.code for finding in found.fixed}) == ["D01", "D03", "H03", "H14", "P07"]
    back = compared("after", "before").changes
    assert (len(back.introduced), back.fixed) == (8, [])
