from __future__ import annotations

import pytest
from handmade import config, hit

from lbcheck import engine
from lbcheck.catalog import rules
from lbcheck.causes import ECHOES, split
from lbcheck.context import Context
from lbcheck.findings import Edit, Fix, NotChecked, Related
from lbcheck.results import Counts, Result
from lbcheck.selection import Ignored, Selection, default_selection
from lbcheck.text import Source

TEXT = "upstream app {\n    server 10.0.0.1:80 weight=10;\n    server 10.0.0.2:80;\n}\n"


@pytest.fixture(autouse=True)
def checks(made_checks):
    return made_checks


def selection(*codes, **more):
    return Selection(codes or rules(), rules=rules(), **more)


def run(made, chosen=None):
    return engine.check(made, chosen or selection(), Context())


def codes(result):
    return [finding.code for finding in result.findings]


def test_a_hit_becomes_a_finding_with_words_and_place():
    made = config(TEXT, ("E09", "weight=10"))
    (finding,) = run(made).findings
    assert (finding.code, finding.name, finding.severity) == ("E09", "invalid-value", "error")
    assert (finding.message, finding.help) == ("weight=10 is wrong", "mend it")
    assert finding.place[:5] == ("nginx.conf", 2, 24, 2, 33)
    assert finding.place.excerpt == "    server 10.0.0.1:80 weight=10;"
    assert TEXT[finding.place.start : finding.place.end] == "weight=10"
    assert finding.url.endswith("/rules/E09-invalid-value.md")
    assert (finding.config, finding.dialect) == ("nginx.conf", "nginx")


def test_counts_and_not_checked_are_reported():
    made = config(TEXT)
    made.unmodelled = [NotChecked(made.files[0].span(0, 8), "not known")]
    result = run(made)
    assert result.counts == Counts(1, 1, 0, 0, 0)
    assert [(note.place.line, note.message) for note in result.not_checked] == [(1, "not known")]


def test_selected_checks_run_for_the_dialects_of_their_rule(checks):
    ran = []
    checks["E02"] = lambda _config, _context: ran.append("E02") or ()
    checks["E05"] = lambda _config, _context: ran.append("E05") or ()
    run(config(TEXT), selection("E02"))
    assert ran == ["E02"]
    ran.clear()
    run(config(TEXT, dialect="native"), selection("E02"))
    assert ran == []


def test_an_error_of_reading_switches_the_checks_off(checks):
    made = config(TEXT, ("E01", "upstream"))
    checks["E09"] = lambda given, _: [hit(given.files[0], "E09", "weight=10")]
    assert codes(run(made)) == ["E01"]
    made.hits[0].severity = "warning"
    assert codes(run(made)) == ["E01", "E09"]
    assert codes(run(config(TEXT, ("E02", "upstream")))) == ["E02", "E09"], "info is no error"


def test_an_ignored_error_of_reading_still_switches_the_checks_off(checks):
    checks["E09"] = lambda given, _: [hit(given.files[0], "E09", "weight=10")]
    assert codes(run(config(TEXT, ("E01", "upstream")), selection("E09"))) == []


def test_a_check_that_fails_is_a_finding_and_the_others_run(checks):
    def fails(given, _context):
        yield hit(given.files[0], "E08", "server")
        raise ValueError("s3cret text of the config")

    checks["E08"] = fails
    checks["E09"] = lambda given, _: [hit(given.files[0], "E09", "weight=10")]
    result = run(config(TEXT), selection("E08", "E09"))
    assert codes(result) == ["E00", "E08", "E09"]
    assert "ValueError at test_engine.py:" in result.findings[0].message
    assert "s3cret" not in result.findings[0].message


def test_a_check_that_recurses_too_deep_is_a_finding(checks):
    def endless(given, context):
        return endless(given, context)

    checks["E08"] = endless
    assert codes(run(config(TEXT))) == ["E00"]


def test_a_config_without_a_dialect_is_judged_by_its_hits_alone(checks):
    checks["E09"] = lambda given, _: [hit(given.files[0], "E09", "weight=10")]
    assert codes(run(config(TEXT, ("E03", "upstream"), dialect=""))) == ["E03"]


def test_severity_is_the_users_then_the_hits_then_the_rules():
    made = config(TEXT, ("E02", "upstream"), ("E09", "weight=10"))
    made.hits[0].severity = "warning"
    assert [f.severity for f in run(made).findings] == ["warning", "error"]
    assert [f.severity for f in run(made, selection(severities={"E02": "error"})).findings] == ["error", "error"]


def test_min_severity_hides_what_is_milder():
    made = config(TEXT, ("E02", "upstream"), ("E09", "weight=10"))
    assert codes(run(made, selection(min_severity="warning"))) == ["E09"]


def test_findings_are_sorted_and_equal_ones_dropped():
    made = config(TEXT, ("E09", "weight=10"), ("E06", "upstream"), ("E09", "weight=10"), ("E07", "upstream"))
    assert codes(run(made)) == ["E06", "E07", "E09"]


def test_user_ignores_by_path_rule_fingerprint_and_date():
    made = config(TEXT, ("E09", "weight=10"))
    fingerprint = run(made).findings[0].fingerprint
    for entry, left in (
        (Ignored("nginx.conf", "E09", None, None), []),
        (Ignored("*.conf", None, fingerprint, None), []),
        (Ignored("./", "E09", None, "2020-01-02"), []),
        (Ignored("./", "E09", None, "2020-01-01"), ["E09"]),
        (Ignored("other.conf", "E09", None, None), ["E09"]),
        (Ignored("nginx.conf", "E08", None, None), ["E09"]),
        (Ignored("nginx.conf", None, "0" * 16, None), ["E09"]),
    ):
        result = run(made, selection(ignored=[entry], today="2020-01-02"))
        assert (codes(result), result.suppressed) == (left, 1 - len(left)), entry
    assert codes(run(made, selection(per_file=[("*.conf", frozenset({"E09"}))]))) == []


class TestFingerprint:
    def of(self, text, *hits, **more):
        return [finding.fingerprint for finding in run(config(text, *hits, **more)).findings]

    def test_survives_line_shifts_indentation_and_comments_for_lbcheck(self):
        before = self.of(TEXT, ("E09", "weight=10"))
        assert self.of("\n\n" + TEXT.replace("    ", "\t"), ("E09", "weight=10")) == before
        assert self.of(TEXT.replace("=10;", "=10; # lbcheck: capacity=9"), ("E09", "weight=10")) == before
        assert len(before[0]) == 16

    def test_differs_by_code_path_line_and_subject(self):
        made = config(TEXT, ("E09", "weight=10"))
        made.hits[0].pool = "app"
        seen = {
            *self.of(TEXT, ("E09", "weight=10")),
            *self.of(TEXT, ("E08", "weight=10")),
            *self.of(TEXT, ("E09", "weight=10"), path="other.conf"),
            *self.of(TEXT.replace("=10", "=10 down"), ("E09", "weight=10")),
            run(made).findings[0].fingerprint,
        }
        assert len(seen) == 5

    def test_equal_lines_are_told_apart(self):
        source = "a;\na;\n"
        made = config(source)
        made.hits = [hit(made.files[0], "E09", "a"), hit(made.files[0], "E09", "a")]
        made.hits[1].span = made.files[0].span(3, 4)
        prints = [finding.fingerprint for finding in run(made).findings]
        assert len(set(prints)) == 2
        assert prints == [finding.fingerprint for finding in run(made).findings]

    def test_does_not_depend_on_a_secret(self):
        one, other = ("stats auth bob:hunter2\n", "stats auth bob:hunter3\n")
        assert self.of(one, ("E09", "auth")) == self.of(other, ("E09", "auth"))


class TestSecrets:
    TEXT = 'proxy_set_header Authorization "Basic c2VjcmV0OnB3";\n'

    def finding(self, **more):
        made = config(self.TEXT)
        about = {"problem": 'the value "Basic c2VjcmV0OnB3" is wrong', "advice": "write another"}
        made.hits = [hit(made.files[0], "E09", "Authorization", args=about, **more)]
        return run(made).findings[0]

    def test_never_reach_excerpt_and_message(self):
        finding = self.finding()
        assert "c2Vj" not in repr(finding)
        assert len(finding.place.excerpt) == len(self.TEXT) - 1
        assert finding.message == 'the value "***" is wrong'

    def test_never_reach_notes_names_and_fixes(self):
        span = Source("nginx.conf", self.TEXT).span(0, 5)
        finding = self.finding(
            server="http://bob:hunter2@10.0.0.1/",
            related=[Related(span, "Basic c2VjcmV0OnB3 stands here")],
            fix=Fix("move it", [Edit(span, 'x "Basic c2VjcmV0OnB3";')]),
        )
        assert "c2Vj" not in repr(finding)
        assert "hunter2" not in repr(finding)
        assert finding.fix is None

    def test_a_fix_without_a_secret_stays(self):
        source = Source("nginx.conf", self.TEXT)
        fix = Fix("rename", [Edit(source.span(17, 30), "Proxy-Authorization")], safe=True)
        assert self.finding(fix=fix).fix == ("rename", True, (("nginx.conf", 17, 30, "Proxy-Authorization"),))


class TestCauses:
    SOURCE = Source("nginx.conf", TEXT)

    def hits(self, *pairs, **more):
        return [hit(self.SOURCE, code, "upstream", pool=pool, **more) for code, pool in pairs]

    def left(self, *pairs):
        return [found.code for found in split(self.hits(*pairs))[0]]

    def test_a_cause_silences_its_echoes_of_the_same_pool_only(self):
        assert self.left(("P01", "app"), ("D01", "app"), ("F03", "app"), ("H01", "api")) == ["P01", "H01"]

    def test_hits_about_no_pool_are_no_echoes(self):
        assert self.left(("P01", None), ("D01", None)) == ["P01", "D01"]

    def test_the_narrower_story_of_a_skew_wins(self):
        assert self.left(("D01", "app"), ("D02", "app")) == ["D02"]
        assert self.left(("D01", "app"), ("D03", "app")) == ["D03"]
        assert self.left(("D01", "app")) == ["D01"]

    def test_an_echo_is_no_cause(self):
        assert self.left(("H02", "app"), ("F02", "app"), ("H01", "app")) == ["H02"]
        assert self.left(("F02", "app"), ("H01", "app")) == ["F02"]

    def test_a_cause_may_point_at_the_pool(self):
        unused = hit(self.SOURCE, "P07", "upstream app", pool="app")
        cause = hit(self.SOURCE, "P02", "10.0.0.2", pool="ap", related=[Related(unused.span, "meant?")])
        assert [one.code for one in split([unused, cause])[0]] == ["P02"]
        cause.related = ()
        assert [one.code for one in split([unused, cause])[0]] == ["P07", "P02"]

    def test_routes_join_by_frontend_and_name(self):
        causes = self.hits(("N02", None), frontend="web", route="/")
        echo = self.hits(("R05", None), frontend="web", route="/")
        other = self.hits(("R05", None), frontend="web", route="/api")
        assert split([*causes, *echo, *other])[1] == echo

    def test_no_row_lets_two_rules_silence_each_other(self):
        pairs = {(cause, echo) for cause, _, echoes in ECHOES for echo in echoes if len(echo) == 3}
        assert not {(one, other) for one, other in pairs if (other, one) in pairs}

    def test_an_ignored_cause_brings_its_echoes_back(self, checks):
        checks["E08"] = lambda given, _: [hit(given.files[0], "E08", "weight=10")]
        assert codes(run(config(TEXT), selection("E08"))) == ["E08"]


def test_finish_takes_each_finding_of_a_shared_file_once():
    result = Result()
    for root in ("a.conf", "b.conf"):
        made = config(TEXT, ("E02", "upstream"), path="shared.conf")
        made.path = root
        made.hits[0].args = {"problem": f"not found from {root}", "advice": "look"}
        made.unmodelled = [NotChecked(made.files[0].span(0, 8), "not known")]
        result.add(run(made))
    engine.finish(result)
    assert [finding.message for finding in result.findings] == ["not found from a.conf"]
    assert len(result.not_checked) == 1


def test_the_default_selection_is_the_rules_on_by_default():
    assert default_selection().codes == {rule.code for rule in rules().values() if rule.default and not rule.preview}
