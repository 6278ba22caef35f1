from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import jsonschema
import pytest

from lbcheck import settings as module
from lbcheck.catalog import rules
from lbcheck.selection import UnknownSelectorError, choose, expand, matches
from lbcheck.settings import SettingsError, find, from_text, load, targets_from
from lbcheck.settings_keys import SETTERS

SCHEMA = json.loads((Path(module.__file__).parent / "settings_schema.json").read_text())

EVERYTHING = """
select = ["E", "include-not-found"]
extend-select = ["E02"]
ignore = ["E12"]
preview = true
exclude = ["old/*.conf", "*.bak"]
min-severity = "warning"
fail-on = "error"
root = "mirror"
baseline = "known.json"
jobs = 3
complete-namespaces = ["shop"]
[severity]
E02 = "error"
unused-suppression = "warning"
[per-file-ignores]
"legacy/" = ["E02", "E05"]
"*.tmpl" = ["ALL"]
[target]
nginx = "1.26"
haproxy = "3.0.1"
[gate]
allow = "none"
moved = 0.2
headroom = 0.1
tolerance = 0.02
require = ["diff", "rehearse"]
[hosts]
"App.test" = 3
"db.test" = ["10.0.0.1", "10.0.0.2"]
[[capacity]]
match = "app/*"
limit = 200
[[zone]]
match = "10.0.1.*"
name = "a"
[[demand]]
frontend = "web"
route = "/api*"
peak = 900.5
[[ignore-findings]]
path = "lb/haproxy.cfg"
rule = "E02"
reason = "generated"
until = 2030-12-31
[[ignore-findings]]
path = "lb/"
fingerprint = "0123456789abcdef"
reason = "no comment possible"
[[config]]
files = ["global.cfg", "web.cfg"]
dialect = "haproxy"
"""


def test_every_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = from_text(EVERYTHING, "lbcheck.toml")
    here = str(tmp_path)
    assert settings.selection().codes == {code for code in rules() if code[0] == "E"} - {"E12"}
    assert (settings.preview, settings.min_severity, settings.fail_on, settings.jobs) == (True, "warning", "error", 3)
    assert settings.exclude == ["old/*.conf", "*.bak"]
    assert (settings.root, settings.baseline) == ("mirror", "known.json")
    assert settings.severities == {"E02": "error", "E12": "warning"}
    assert settings.per_file[0] == (f"{here}/legacy", frozenset({"E02", "E05"}))
    assert settings.per_file[1] == ("*.tmpl", frozenset(rules()))
    assert settings.targets == {"nginx": (1, 26), "haproxy": (3, 0, 1)}
    assert settings.ignored[0] == (f"{here}/lb/haproxy.cfg", "E02", None, "2030-12-31")
    assert settings.ignored[1] == (f"{here}/lb", None, "0123456789abcdef", None)
    assert settings.hosts == {"app.test": 3, "db.test": 2}
    assert settings.gate == ("none", 0.2, 0.1, 0.02, ("diff", "rehearse"))
    assert settings.zones == [("10.0.1.*", "a")]
    assert settings.capacities == [("app/*", 200.0)]
    assert settings.demands == [("web", 900.5, "/api*")]
    assert settings.configs == [(("global.cfg", "web.cfg"), "haproxy")]


def test_the_schema_knows_the_same_keys():
    assert set(SCHEMA["properties"]) == set(SETTERS)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(tomllib.loads(EVERYTHING), SCHEMA)


WRONG = [
    ("selct = []", "selct: no such key; did you mean select?"),
    ("zzzzzz = 1", "zzzzzz: no such key; there are baseline, capacity, complete-namespaces, config"),
    ('select = "E01"', "select: 'E01' is no list of strings"),
    ("select = [1]", "select: [1] is no list of strings"),
    ("[gate]\nmoves = 1", "gate: moves: no such key; did you mean moved?"),
    ("[gate]\nmoved = 20", "gate: 20 is no part from 0 to 1: 0.2 is 20 %"),
    ('[gate]\nallow = "all"', "gate: 'all' is none of error, warning, info"),
    ('[gate]\nrequire = ["test"]', "gate: require: test: there are check, diff, traffic, rehearse, probe"),
    ("preview = 1", "preview: 1 is neither true nor false"),
    ('min-severity = "warn"', "min-severity: 'warn' is none of error, warning, info"),
    ("fail-on = []", "fail-on: [] is none of error, warning, info"),
    ("severity = 3", "severity: 3 is no table"),
    ('severity.E02 = "bad"', "severity: 'bad' is none of"),
    ("jobs = -1", "jobs: -1 is no number of processes"),
    ("jobs = true", "jobs: True is no number of processes"),
    ("root = 3", "root: 3 is no text in quotes"),
    ("target.nginx = 1.26", "target: nginx: 1.26 is no version in quotes"),
    ('target.ngnix = "1.26"', "target: ngnix: no such key; did you mean nginx?"),
    ('target.nginx = "1.x"', "target: nginx: '1.x' is no version"),
    ("hosts.a = 0", "hosts: a: 0 is neither a list of addresses"),
    ("hosts.a = []", "hosts: a: [] is neither a list of addresses"),
    ("[[capacity]]\nmatch = 'x'", "capacity: every entry needs a limit"),
    ("[[capacity]]\nmatch = 'x'\nlimit = 0", "capacity: 0 is no number above zero"),
    ("[[demand]]\nfrontend = 'x'\npeak = 'y'", "demand: 'y' is no number above zero"),
    ("[[demand]]\nfrontent = 'x'\npeak = 1", "demand: frontent: no such key; did you mean frontend?"),
    ("[config]\nfiles = []", "config: is no list of tables"),
    ("[[config]]\nfiles = []", "config: files: name the files"),
    ("[[config]]", "config: None is no list of strings"),
    ('[[config]]\nfiles = ["a"]\ndialect = "caddy"', "config: dialect: 'caddy' is none of nginx, haproxy, "),
    ('[[config]]\nfile = ["a"]', "config: file: no such key; did you mean files?"),
    ('[[ignore-findings]]\nrule = "E02"\nreason = "x"', "ignore-findings: every entry needs a path"),
    ('[[ignore-findings]]\npath = "x"\nrule = "E02"', "ignore-findings: every entry needs a reason"),
    ('[[ignore-findings]]\npath = "x"\nreason = "y"', "ignore-findings: every entry needs a rule or a fingerprint"),
]
WRONG_BY_MEANING = [
    ('select = ["E99"]', 'select: "E99" is no rule; give a code'),
    ('ignore = ["include-not-fond"]', 'ignore: "include-not-fond" is no rule; did you mean include-not-found?'),
    ('severity.E99 = "error"', 'severity: "E99" is no rule'),
    ('per-file-ignores."*" = ["E99"]', 'per-file-ignores: "E99" is no rule'),
    ("rule.E99.x = 1", 'rule: "E99" is no rule'),
    ("rule.E02.x = 1", "rule: E02.x: the rule has no options"),
    ('[[ignore-findings]]\npath = "x"\nrule = "E99"\nreason = "y"', 'ignore-findings: "E99" is no rule'),
    (
        '[[ignore-findings]]\npath = "x"\nrule = "E02"\nreason = "y"\nuntil = "soon"',
        "ignore-findings: until: 'soon' is no date",
    ),
    ('rules = "nowhere"', "rules: nowhere: no such file or directory"),
]


@pytest.mark.parametrize(("text", "says"), WRONG + WRONG_BY_MEANING)
def test_wrong_values_are_named_in_one_line(text, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as caught:
        from_text(text)
    assert str(caught.value).startswith(f"lbcheck.toml: {says}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_the_schema_refuses_the_same(text, says):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), SCHEMA)
    assert says


def test_what_is_no_toml():
    for text in ("select = ", "[", "a = " + "[" * 100_000, "x = 1\nx = 2"):
        with pytest.raises(SettingsError, match=r"^lbcheck\.toml: ") as caught:
            from_text(text)
        assert "\n" not in str(caught.value)


def test_the_table_in_pyproject():
    assert from_text("[tool.lbcheck]\njobs = 2\n[project]\nname = 'x'\n", "pyproject.toml").jobs == 2
    for text in ("tool = 3", "tool.lbcheck = 3"):
        with pytest.raises(SettingsError, match=r"^pyproject\.toml: tool\.lbcheck: 3 is no table"):
            from_text(text, "pyproject.toml")


def test_thresholds_are_numbers_that_the_rule_knows(monkeypatch):
    monkeypatch.setattr(rules()["E02"], "options", (("max_depth", 3),))
    assert from_text("rule.include-not-found.max_depth = 5").options == {"E02": {"max_depth": 5}}
    for text, says in (
        ("rule.E02.max_dept = 5", "E02.max_dept: no such key; did you mean max_depth?"),
        ('rule.E02.max_depth = "5"', "E02.max_depth: '5' is no number"),
        ("rule.E02.max_depth = true", "E02.max_depth: True is no number"),
        ("rule.E02 = 5", "5 is no table"),
    ):
        with pytest.raises(SettingsError) as caught:
            from_text(text)
        assert says in str(caught.value)


class TestFind:
    @pytest.fixture
    def tree(self, tmp_path):
        (tmp_path / "repo" / ".git").mkdir(parents=True)
        (tmp_path / "repo" / "lb" / "deep").mkdir(parents=True)
        (tmp_path / "lbcheck.toml").write_text("")
        return tmp_path / "repo"

    def test_goes_up_to_the_git_top_and_no_further(self, tree):
        assert find(str(tree / "lb" / "deep")) is None
        (tree / "lbcheck.toml").write_text("")
        assert find(str(tree / "lb" / "deep")) == str(tree / "lbcheck.toml")
        (tree / "lb" / "lbcheck.toml").write_text("")
        assert find(str(tree / "lb" / "deep")) == str(tree / "lb" / "lbcheck.toml")

    def test_takes_a_pyproject_only_if_it_speaks_of_lbcheck(self, tree):
        (tree / "lb" / "pyproject.toml").write_text("[project]\n")
        (tree / "pyproject.toml").write_text("[tool.lbcheck]\n")
        assert find(str(tree / "lb")) == str(tree / "pyproject.toml")
        (tree / "lbcheck.toml").write_text("")
        assert find(str(tree / "lb")) == str(tree / "lbcheck.toml")

    def test_looks_nowhere_else_outside_git(self, tree):
        lone = tree.parent / "lone"
        lone.mkdir()
        assert find(str(lone)) is None
        (lone / "lbcheck.toml").write_text("")
        assert find(str(lone)) == str(lone / "lbcheck.toml")

    def test_load(self, tree, monkeypatch):
        (tree / "lbcheck.toml").write_text('jobs = 2\nroot = "mirror"\nexclude = ["lb/old/"]\n')
        monkeypatch.chdir(tree / "lb")
        settings = load()
        assert (settings.jobs, settings.root) == (2, str(tree / "mirror"))
        assert settings.exclude == ["old"], "as seen from the working directory"
        assert load(isolated=True).jobs == 0
        assert load(os.path.join("..", "lbcheck.toml")).jobs == 2
        with pytest.raises(SettingsError, match=r"nowhere\.toml: no such file"):
            load("nowhere.toml")
        os.mkfifo("pipe.toml")
        with pytest.raises(SettingsError, match="named pipe"):
            load("pipe.toml")


class TestSelectors:
    @pytest.fixture
    def known(self):
        from lbcheck.catalog import Rule

        rows = [("D01", "skew", True, False), ("D02", "outlier", True, True), ("D10", "zone", False, False)]
        return {
            code: Rule(code, name, "warning", ("nginx",), "0.1", default, preview, (), "m", "h", f"{code}-{name}.md")
            for code, name, default, preview in rows
        }

    def test_expand(self, known):
        assert expand(["D01"], known) == {"D01"}
        assert expand(["d0", "zone"], known) == {"D01", "D02", "D10"}
        assert expand(["all"], known) == set(known)
        for word in ("", "X", "D03", "sk"):
            with pytest.raises(UnknownSelectorError):
                expand([word], known)

    @pytest.mark.parametrize(
        ("words", "codes"),
        [
            ({}, {"D01"}),
            ({"preview": True}, {"D01", "D02"}),
            ({"select": ["D"]}, {"D01", "D10"}),
            ({"select": ["D02"]}, set()),
            ({"select": ["D02"], "preview": True}, {"D02"}),
            ({"select": []}, set()),
            ({"extend": ["zone"]}, {"D01", "D10"}),
            ({"ignore": ["D"]}, set()),
            ({"ignore": ["D"], "extend": ["D10"]}, {"D10"}),
            ({"select": ["D01"], "ignore": ["skew"]}, set()),
            ({"select": ["ALL"], "ignore": ["D01"]}, {"D10"}),
        ],
    )
    def test_choose(self, known, words, codes):
        assert choose(known, **words) == codes

    def test_the_command_line_lies_over_the_file(self):
        settings = from_text('select = ["E"]\nignore = ["E02", "E05"]')
        settings.choose(extend_select=["E05"], ignore=["E06"])
        assert {"E02", "E05", "E06"} & settings.selection().codes == {"E05"}
        settings.choose(select=["E02"])
        assert settings.selection().codes == {"E02"}
        settings.choose(select=["E77"])
        with pytest.raises(SettingsError, match='"E77" is no rule'):
            settings.selection()


def test_patterns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path, pattern, fits in (
        ("lb/a.conf", "*.conf", True),
        ("lb/a.conf", "a.*", True),
        ("lb/a.conf", "lb/*.conf", True),
        ("lb/x/a.conf", "lb/*.conf", True),
        ("lb/a.conf", "lb/", True),
        ("./lb/a.conf", str(tmp_path / "lb"), True),
        ("lb2/a.conf", "lb/", False),
        ("lb/a.conf", "lb", False),
        ("lb/a.conf", "./", True),
        ("a.conf", "lb/a.conf", False),
    ):
        assert matches(path, pattern) is fits, (path, pattern)


def test_targets_of_the_command_line():
    assert targets_from("nginx=1.26, haproxy=3.0") == {"nginx": (1, 26), "haproxy": (3, 0)}
    for text in ("nginx", "nginx=", "caddy=2", "nginx=latest"):
        with pytest.raises(SettingsError, match=r"^--target: "):
            targets_from(text)


PAGE = "---\ncode: {code}\n{more}\n---\n\n## Why\n\nOur own reason.\n"


class TestOwnPages:
    def write(self, folder, name, text):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    def test_replace_words_and_severity(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        more = 'severity: error\ndefault: false\nmessage: "ours: {problem}"'
        self.write(tmp_path / "own", "E02-include-not-found.md", PAGE.format(code="E02", more=more))
        settings = from_text('rules = "own"')
        rule = settings.rules["E02"]
        assert (rule.severity, rule.message, rule.help) == ("error", "ours: {problem}", "{advice}")
        assert "E02" not in settings.selection().codes
        assert rules()["E02"].severity == "info", "the built-in rule stays as it is"
        from lbcheck.catalog import page

        assert "Our own reason." in page(rule)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (PAGE.format(code="Z01", more=""), "no check has the code Z01"),
            (PAGE.format(code="E02", more="severity: bad"), "severity: 'bad' cannot be used"),
            (PAGE.format(code="E02", more="default: 3"), "default: 3 cannot be used"),
            (PAGE.format(code="E02", more="message: [1]"), "message: [1] cannot be used"),
            (PAGE.format(code="E02", more="message: {"), "no YAML"),
            ("# no front matter", "must begin with front matter"),
            ("---\n- 1\n---\n", "must be a mapping"),
        ],
    )
    def test_wrong_pages(self, text, says, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        self.write(tmp_path / "own", "E02-include-not-found.md", text)
        with pytest.raises(SettingsError) as caught:
            from_text('rules = "own"')
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
