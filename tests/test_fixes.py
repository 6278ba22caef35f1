from __future__ import annotations

import os
import stat
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcheck.fixes import NotWrittenError, apply, compatible, difference, fixed, write
from lbcheck.results import Change


def change(*edits, safe=True, title="x"):
    return Change(title, safe, tuple(("a", *edit) for edit in edits))


def test_edits_are_applied_by_the_offsets_of_the_old_text():
    edits = [("a", 6, 6, "!"), ("a", 0, 1, "HH"), ("a", 3, 5, "")]
    assert apply("hello world", edits) == "HHel !world"


def test_equal_edits_count_once():
    assert apply("ab", [("a", 1, 1, "x"), ("a", 1, 1, "x")]) == "axb"


def test_an_insertion_before_a_replacement_comes_first():
    assert apply("ab", [("a", 0, 1, "X"), ("a", 0, 0, "<"), ("a", 1, 1, ">")]) == "<X>b"


@pytest.mark.parametrize(
    "edits", [[(0, 3)], [(-1, 1)], [(2, 1)], [(0, 2), (1, 2)], [(1, 1, "x"), (1, 1, "y")], [(0, 2), (1, 1)]]
)
def test_edits_that_do_not_fit_are_refused(edits):
    with pytest.raises(ValueError, match="does not fit"):
        apply("ab", [("a", start, end, *(text or ["t"])) for start, end, *text in edits])


def test_the_earlier_of_two_overlapping_changes_is_taken_and_each_whole():
    first = change((0, 5, "x"), (20, 25, "y"))
    overlapping = change((4, 6, "z"), (40, 41, "z"))
    touching = change((5, 7, "z"))
    assert compatible([first, overlapping, touching]) == [first, touching]


def test_a_change_in_conflict_with_itself_is_left_out():
    assert compatible([change((0, 5, "x"), (4, 6, "y"))]) == []


def test_two_findings_may_ask_for_the_same_edit():
    both = [change((5, 5, "zone app 64k;"), title="one"), change((5, 5, "zone app 64k;"), (9, 9, "y"), title="two")]
    assert compatible(both) == both
    assert fixed({"a": "0123456789"}, both) == {"a": "01234zone app 64k;5678y9"}
    other = change((5, 5, "another at this place"))
    assert compatible([*both, other]) == both


def test_unsafe_changes_want_to_be_asked_for():
    safe, unsafe = change((0, 1, "x")), change((2, 3, "y"), safe=False)
    assert compatible([unsafe, safe]) == [safe]
    assert compatible([unsafe, safe], unsafe=True) == [unsafe, safe]


def test_many_changes_do_not_take_quadratic_time():
    changes = [change((number * 3, number * 3 + 2, "x")) for number in range(50_000)]
    assert compatible(changes) == changes


pairs = st.lists(st.integers(0, 30), min_size=2, max_size=2).map(sorted)
some = st.lists(st.lists(st.tuples(pairs, st.sampled_from("xy")), min_size=1, max_size=3), max_size=8)


@given(some)
def test_compatible_changes_can_always_be_applied(drawn):
    changes = [change(*((start, end, text) for (start, end), text in each)) for each in drawn]
    taken = compatible(changes)
    fixed({"a": "z" * 30}, taken)
    assert not changes or taken or all(compatible([each]) == [] for each in changes)


def test_only_paths_that_change_are_returned():
    same = Change("x", True, (("a", 0, 1, "a"), ("b", 0, 1, "B")))
    assert fixed({"a": "a", "b": "b", "c": "c"}, [same]) == {"b": "B"}


def test_the_difference_is_a_patch(tmp_path):
    old = "upstream app {\n\tserver a weight=10;\r\n}"
    new = "upstream app {\n\tserver a weight=1;\r\n}"
    text = difference({"lb/a.conf": old}, {"lb/a.conf": new})
    assert (
        text
        == """\
--- a/lb/a.conf
+++ b/lb/a.conf
@@ -1,3 +1,3 @@
 upstream app {
-\tserver a weight=10;\r
+\tserver a weight=1;\r
 }
\\ No newline at end of file
"""
    )
    (tmp_path / "lb").mkdir()
    path = tmp_path / "lb" / "a.conf"
    path.write_bytes(old.encode())
    subprocess.run(["git", "apply", "-"], input=text.encode(), cwd=tmp_path, check=True)
    assert path.read_bytes() == new.encode()


def test_the_difference_shows_neither_control_characters_nor_secrets():
    old = "a \x1b[2J\x0c\u2028\rb\npassword hunter2secret;\nx 1;\n"
    text = difference({"n\x1b": old}, {"n\x1b": old.replace("x 1", "x 2")})
    assert text.startswith("--- a/n\\x1b\n+++ b/n\\x1b\n@@ -1,3 +1,3 @@\n a \\x1b[2J\\x0c\\u2028\\x0db\n")
    assert "hunter2secret" not in text


def test_writing_keeps_bytes_mode_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.conf"
    path.write_bytes(b"\xff weight=10;\r\n")
    path.chmod(0o640)
    write(str(path), "\udcff weight=1;\r\n", "\udcff weight=10;\r\n")
    assert path.read_bytes() == b"\xff weight=1;\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.conf"]


def refused(path, text="new", before="old"):
    with pytest.raises(NotWrittenError) as caught:
        write(str(path), text, before)
    return str(caught.value).removeprefix(f"{path}: ")


def test_links_and_special_files_are_not_written(tmp_path):
    target = tmp_path / "target"
    target.write_text("old")
    (tmp_path / "link").symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "link") == "it is a symbolic link; name the file that it leads to"
    assert refused(tmp_path / "pipe") == "it is a named pipe, not a regular file"
    assert refused(tmp_path) == "it is a directory, not a regular file"
    assert refused(tmp_path / "gone") == "no such file or directory"
    assert refused("nul\0") == "not a usable path or text"
    assert target.read_text() == "old"


def test_a_file_that_changed_is_not_written(tmp_path):
    path = tmp_path / "a"
    path.write_text("newer")
    assert refused(path) == "it changed while lbcheck was looking at it"
    assert refused(path, text="\ud800", before="newer") == "not a usable path or text"
    assert path.read_text() == "newer"


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_text("old")

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    assert refused(path) == "no space left on device"
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]
