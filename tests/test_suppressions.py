from __future__ import annotations

import time

import pytest
from handmade import config, hit

from lbcheck import engine
from lbcheck.catalog import rules
from lbcheck.context import Context
from lbcheck.results import Result
from lbcheck.selection import Selection

pytestmark = pytest.mark.usefixtures("made_checks")

TODAY = "2026-06-15"
LINES = "upstream app {{{opens}\n    zone app 64k;\n{above}    server 10.0.0.1:80 weight=0;{behind}\n}}\nserver {{ }}\n"


def text(opens="", above="", behind=""):
    return LINES.format(opens=opens, above=above, behind=behind)


def run(made, chosen=None):
    """Judge with E02 as the finding, which is no error and so leaves unused comments to be judged."""
    return engine.check(made, Selection(chosen or rules(), rules=rules(), today=TODAY), Context())


def judged(written, about="weight=0"):
    made = config(written, ("E02", about))
    opening = written.index("upstream")
    made.blocks = lambda: [made.files[0].span(opening, written.index("}") + 1)]
    result = run(made)
    return [(finding.place.line, finding.code) for finding in result.findings], result.suppressed


@pytest.mark.parametrize(
    "where",
    [
        {"behind": " # lbcheck: ignore[E02] it is so"},
        {"behind": "   #lbcheck:ignore[E02]"},
        {"behind": " # lbcheck: ignore[include-not-found] by name"},
        {"behind": " # lbcheck: ignore[e02, E02]"},
        {"behind": " # moved # lbcheck: ignore[E02] after another comment"},
        {"behind": ' # don\'t ask # lbcheck: ignore[E02] "quoted"'},
        {"behind": " # lbcheck: ignore[E02; until=2026-06-15] the last day"},
        {"behind": " # lbcheck: ignore[ E02 ; until = 2027-01-31 ]"},
        {"above": "    # lbcheck: ignore[E02] alone on the line above\n"},
        {"above": "    # lbcheck: ignore[E02]\n    # and a comment between\n"},
        {"opens": " # lbcheck: ignore[E02] the whole block"},
    ],
)
def test_silenced(where):
    found, suppressed = judged(text(**where))
    assert [code for _, code in found if code == "E02"] == []
    assert suppressed == 1
    assert {code for _, code in found} <= {"E12"}, "of two codes that say the same one may be called unused"


def test_above_the_block_and_for_the_file():
    assert judged("# lbcheck: ignore[E02] all of it\n" + text()) == ([], 1)
    assert judged(text() + "# lbcheck: file-ignore[E02] generated\n") == ([], 1)


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ({"behind": " # lbcheck: ignore[E03] another rule"}, "E12"),
        ({"above": "    # lbcheck: ignore[E02] with a blank line between\n\n"}, "E12"),
        ({"behind": "\n    # lbcheck: ignore[E02] below"}, "E12"),
        ({"behind": " # lbcheck: ignore[E02; until=2026-06-14] over"}, "E13"),
        ({"behind": " # lbcheck: ignore E02"}, "E15"),
        ({"behind": " # lbcheck: ignore[]"}, "E15"),
        ({"behind": " # lbcheck: ignore[E02"}, "E15"),
        ({"behind": " # lbcheck: ignore[E99]"}, "E15"),
        ({"behind": " # lbcheck: ignore[E02; until=2026-02-30]"}, "E15"),
        ({"behind": " # lbcheck: ignore[E02; untill=2027-01-31]"}, "E15"),
        ({"behind": " # lbcheck: ignore[E02;]"}, "E15"),
        ({"behind": " # lbcheck: disable[E02]"}, "E15"),
        ({"behind": " # lbcheck:"}, "E15"),
    ],
)
def test_not_silenced_and_said_why(where, code):
    found, suppressed = judged(text(**where))
    assert sorted(one for _, one in found) == ["E02", code]
    assert suppressed == 0


def test_no_comment_of_ours():
    for behind in (
        " # lbcheck: capacity=200",
        ' add_header X "# lbcheck: ignore[E02]";',
        " http://x/#lbcheck:ignore[E02]",
        " lbcheck: v1",
    ):
        assert [code for _, code in judged(text(behind=behind))[0]] == ["E02"], behind


def test_unknown_names_are_proposed():
    made = config(text(behind=" # lbcheck: ignore[include-not-fond, E03]"))
    (invalid,) = [finding for finding in run(made).findings if finding.code == "E15"]
    assert invalid.help == "did you mean include-not-found?"
    assert made.files[0].text[invalid.place.start : invalid.place.end] == "include-not-fond"


def test_only_the_useless_code_is_unused_and_only_if_its_rule_ran():
    written = text(behind=" # lbcheck: ignore[E02, E03, E05]")
    made = config(written, ("E02", "weight=0"))
    result = run(made, {"E02", "E03", "E12"})
    assert [finding.code for finding in result.findings] == ["E12"]
    place = result.findings[0].place
    assert written[place.start : place.end] == "E03"


def test_nothing_is_unused_in_a_config_that_was_not_read():
    made = config(text(behind=" # lbcheck: ignore[E02]"), ("E01", "upstream"))
    assert [finding.code for finding in run(made).findings] == ["E01"]


def test_nothing_is_unused_in_a_fragment_or_where_a_check_failed(made_checks):
    made = config(text(behind=" # lbcheck: ignore[E02]"))
    made.open = "only a fragment is here"
    assert run(made).findings == []
    made.open = None
    made_checks["E05"] = lambda _config, _context: 1 / 0
    assert [finding.code for finding in run(made).findings] == ["E00"]


def test_findings_about_comments_can_be_silenced_too():
    written = "# lbcheck: file-ignore[E12, E13] shared with another balancer\n" + text(
        behind=" # lbcheck: ignore[E03; until=2020-01-01]", opens=" # lbcheck: ignore[E05]"
    )
    assert judged(written) == ([(4, "E02")], 2)


def test_a_folded_directive_is_silenced_from_its_last_line():
    written = "server 10.0.0.1:80\n    weight=0; # lbcheck: ignore[E02] on its second line\n"
    made = config(written, ("E02", "server 10.0.0.1:80\n    weight=0"))
    assert run(made).findings == []


def test_a_finding_about_a_block_is_not_silenced_from_inside_it():
    written = text(behind=" # lbcheck: ignore[E02]")
    made = config(written, ("E02", written[: written.index("}") + 1]))
    assert [finding.code for finding in run(made).findings] == ["E02", "E12"]


def test_blocks_are_asked_for_only_when_a_comment_needs_them():
    made = config(text(), ("E02", "weight=0"))
    made.blocks = lambda: pytest.fail("asked")
    run(made)
    made = config(text() + "# lbcheck: file-ignore[E02]\n", ("E02", "weight=0"))
    made.blocks = lambda: pytest.fail("asked")
    run(made)


def test_a_comment_in_a_shared_file_is_in_use_if_one_config_needs_it():
    written = text(behind=" # lbcheck: ignore[E02] only in the first config")
    result = Result()
    result.add(run(config(written, ("E02", "weight=0"), path="shared.conf")))
    result.add(run(config(written, path="shared.conf")))
    assert [finding.code for finding in result.findings] == ["E12"]
    engine.finish(result)
    assert result.findings == []


def test_many_comments_cost_linear_time():
    def cost(count):
        written = "".join(
            f"upstream u{number} {{ # lbcheck: ignore[E02] all\n  server x; # lbcheck: ignore[E03] it\n}}\n"
            for number in range(count)
        )
        made = config(written)
        source = made.files[0]
        starts = [offset for offset in range(len(written)) if written.startswith("upstream", offset)]
        made.blocks = lambda: [source.span(start, written.index("}", start) + 1) for start in starts]
        made.hits = [hit(source, "E02", "server")]
        made.hits *= 1
        for start in starts:
            found = hit(source, "E02", "server")
            found.span = source.span(written.index("server", start), written.index(";", start))
            made.hits.append(found)
        began = time.process_time()
        assert {finding.code for finding in run(made).findings} == {"E12"}
        return time.process_time() - began

    cost(50)
    assert cost(4000) < 40 * max(cost(400), 0.005)
