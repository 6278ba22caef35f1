"""Every rule page holds: its examples raise what they mark, its words render, its fixes mend, the real proxy agrees."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
import verdicts

from lbcheck import catalog, comparison, engine, fixes, pages, project
from lbcheck.checks import CHECKS
from lbcheck.checks.changes import CHANGE_CHECKS
from lbcheck.dialects import DIALECTS, dialect
from lbcheck.files import DiskFiles
from lbcheck.grouping import Unit
from lbcheck.peers import Peers
from lbcheck.project import Request
from lbcheck.results import Result
from lbcheck.settings import from_text
from lbcheck.sides import of_paths
from lbcheck.surroundings import Surroundings
from lbcheck.traffic.scenario import Scenario

RULES = Path(__file__).parent.parent / "rules"
PAGES = sorted(path.name for path in RULES.glob("[A-Z][0-9][0-9]-*.md"))
HEADINGS = ["Why", "Fix", "When to ignore", "Bad", "Good"]

#: Rules whose page has no examples, and why none can be shown.
WITHOUT_EXAMPLES = {"E00": "a config that raises it is a defect of lbcheck; test_engine.py makes a check fail"}


def code_of(name):
    return name[:3]


def text_of(name):
    return (RULES / name).read_text(encoding="utf-8")


def cases_of(name):
    try:
        return pages.cases(pages.blocks(text_of(name), code_of(name), name))
    except pages.PageError:
        return []  # test_page reports it, under the page's own name


CASES = [
    pytest.param(name, case, id=f"{code_of(name)}-{case.section}-{case.dialect}-line{case.blocks[0].line}")
    for name in PAGES
    for case in cases_of(name)
]
BY_PAGE = [pytest.param(name, id=code_of(name)) for name in PAGES]
JUDGED = [param for param in CASES if param.values[1].dialect in verdicts.BINARIES]


def texts(case, folder):
    """Return path → text of a case's files; what only a disk can show (`as=`, `pad=`) is made in the folder.

    Of a pair of versions: version → such files.
    """
    if case.blocks[0].version:
        return {version: texts_of(case.version(version), folder) for version in pages.VERSIONS}
    return texts_of(case, folder)


def texts_of(case, folder):
    found = {}
    for block in case.blocks:
        kind, size = block.attributes.get("as"), int(block.attributes.get("pad", 0))
        if kind == "directory":
            (folder / block.name).mkdir(parents=True)
        elif kind == "fifo":
            os.mkfifo(folder / block.name)
        elif kind:
            pytest.fail(f"as={kind} is not known")
        else:
            found[block.name] = block.text + "# filler\n" * (max(0, size - len(block.text)) // 9)
    if "mime.types" in "".join(found.values()):
        found.setdefault("mime.types", "types { text/html html; }\n")
    return found


def targets(case):
    product, _, version = case.attribute("target").partition("=")
    return {product: tuple(map(int, version.split(".")))} if product else {}


def judge(case, files, folder, monkeypatch, extra=""):
    """Run the checks on a case's files, as `lbcheck check` does with all default rules.

    Of a pair of versions the findings are those that `lbcheck diff` calls introduced.
    """
    monkeypatch.chdir(folder)
    if case.blocks[0].version:
        return introduced(case, files, folder)
    on_disk = any("as" in block.attributes or "pad" in block.attributes for block in case.blocks)
    if on_disk:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    disk = DiskFiles(roots=["."], memory=None if on_disk else dict(files))
    disk.known = list(files)
    settings = from_text(f'extend-select = ["{extra}"]\n' * bool(extra) + case.attribute("settings"))
    settings.targets = {**settings.targets, **targets(case)}
    judge = project.judge(settings)
    result = Result()
    for config in read(case, files, disk):
        result.add(judge(config))
    engine.finish(result)
    return result


def introduced(case, files, folder):
    """Compare the versions of a case, each in a folder of its own; paths are those below the folder."""
    for version in pages.VERSIONS:
        for path, text in files[version].items():
            (folder / version / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / version / path).write_text(text)
    settings = from_text(case.attribute("settings"))
    settings.targets = {**settings.targets, **targets(case)}
    sides = of_paths("old", "new", Request(()))
    found = comparison.diff(*sides, settings, Scenario()).changes.introduced
    return Result([finding._replace(place=finding.place._replace(path=finding.place.path[4:])) for finding in found])


def read(case, files, disk):
    if group := members(case, files, disk):
        return group
    if case.dialect == "haproxy" and len(configs := [name for name in files if name.endswith(".cfg")]) > 1:
        from lbcheck.dialects.haproxy import read_group

        return [read_group(configs, disk)]
    together = list(files) if case.dialect == "traefik" else [case.blocks[0].name]
    configs = dialect(case.dialect).read(together, disk)
    Surroundings([name for name in files if name.endswith("compose.yaml")], disk).place(configs)
    return configs


def members(case, files, disk):
    """Return the configs of a case whose files are those of several balancers; none where they are one's."""
    units = [Unit(case.dialect, (name,)) for name in files]
    found = (
        [config for unit in units for config in dialect(case.dialect).read(unit.paths, disk)] if len(files) > 1 else []
    )
    peers = Peers(units, disk)
    peers.place(found)
    return found if any(config.peer() for config in found) else []


def apart(files):
    """Return the files of each balancer of a case."""
    units = [Unit("", (name,)) for name in files]
    if any(Peers(units, None).first(name) for name in files):
        return [{name: text} for name, text in files.items()]
    return [files]


def spots(result):
    return {(finding.place.path, finding.place.line, finding.code) for finding in result.findings}


@pytest.mark.parametrize(("name", "case"), CASES)
def test_example_raises_exactly_what_it_marks(name, case, tmp_path, monkeypatch):
    result = judge(case, texts(case, tmp_path), tmp_path, monkeypatch, extra_for(name))
    told = "\n".join(f"{f.place.path}:{f.place.line}: {f.code} {f.severity}: {f.message}" for f in result.findings)
    assert spots(result) == case.marks, f"{name}:{case.blocks[0].line} raises:\n{told}"
    if case.section == "Bad":
        assert code_of(name) in {code for *_, code in case.marks}, (
            f"{name}:{case.blocks[0].line} marks no {code_of(name)}"
        )
    else:
        assert not case.marks, f"{name}:{case.blocks[0].line} is Good and has markers"


def extra_for(name):
    rule = catalog.find(code_of(name))
    return "" if rule is None or rule.default else rule.code


@pytest.mark.parametrize(("name", "case"), [param for param in CASES if param.values[1].section == "Bad"])
def test_words_render(name, case, tmp_path, monkeypatch):
    for finding in judge(case, texts(case, tmp_path), tmp_path, monkeypatch, extra_for(name)).findings:
        words = f"{finding.message}\n{finding.help}"
        missing = [hole for hole in catalog.placeholders(catalog.rules()[finding.code]) if f"{{{hole}}}" in words]
        assert not missing, f"{finding.code}: the check gives no {missing}"
        assert not re.search(r"\d\.\d{4,}|\bNone\b|<[\w.]+ object", words), f"not for people: {words}"
        assert "\n" not in finding.message, finding.message
        assert "\n" not in finding.help, finding.help
        assert not finding.message.endswith("."), finding.message


@pytest.mark.parametrize(("name", "case"), [param for param in CASES if param.values[1].section == "Bad"])
def test_fixes_mend(name, case, tmp_path, monkeypatch):
    files = texts(case, tmp_path)
    before = judge(case, files, tmp_path, monkeypatch, extra_for(name)).findings
    for number, finding in enumerate(found for found in before if found.fix is not None):
        mended = {**files, **fixes.fixed(files, [finding.fix])}
        folder = tmp_path / str(number)
        folder.mkdir()
        after = judge(case, mended, folder, monkeypatch, extra_for(name)).findings
        assert count(after, finding.code) < count(before, finding.code), f"{finding.fix.title}: {finding.message}"
        broken = [found for found in after if found.code[0] == "E" and found.severity == "error"]
        assert not broken or case.attribute("native") == "refused", broken


def count(findings, code):
    return sum(finding.code == code for finding in findings)


@pytest.mark.parametrize(("name", "case"), JUDGED)
def test_real_proxy_agrees(name, case, tmp_path):
    wanted, _, reason = case.attribute("native", "ok").partition(":")
    if wanted == "skip":
        assert reason, f"{name}:{case.blocks[0].line}: native=skip needs a reason"
        pytest.skip(reason.replace("-", " "))
    assert wanted in ("ok", "refused"), f"native={wanted} is not known"
    for config in [found for version in ("", *pages.VERSIONS) if (found := case.version(version)).blocks]:
        folder = tmp_path / (config.blocks[0].version or "config")
        folder.mkdir()
        try:
            said = [verdicts.verdict(case.dialect, files, folder) for files in apart(texts_of(config, folder))]
        except verdicts.CannotJudgeError as error:
            pytest.skip(str(error))
        accepted = all(one for one, _ in said)
        assert ("ok" if accepted else "refused") == wanted, f"{name}:{config.blocks[0].line}: {said}"


@pytest.mark.parametrize("name", BY_PAGE)
def test_page(name):
    head = catalog.front_matter(str(RULES / name))
    jsonschema.validate(head, json.loads((RULES / "schema.json").read_text()))
    assert name == f"{head['code']}-{head['name']}.md"
    assert head["dialects"] == [known for known in DIALECTS if known in head["dialects"]], "in the order of DIALECTS"
    headings = list(pages.sections(pages.split(text_of(name), name)[1]))
    found = pages.cases(pages.blocks(text_of(name), head["code"], name))
    if head["code"] in WITHOUT_EXAMPLES:
        assert headings == HEADINGS[:3]
        return
    assert headings == HEADINGS
    for section in ("Bad", "Good"):
        shown = {case.dialect for case in found if case.section == section}
        assert shown == set(head["dialects"]), f"{section} has no example for, or one too many"


def test_pages_and_tables_have_the_same_codes():
    tables = {**dict.fromkeys(CHECKS), **{code: None for name in DIALECTS for code in dialect(name).CHECKS}}
    assert not set(CHANGE_CHECKS) & set(tables), "a change is judged by its own table"
    assert {code[0] for code in CHANGE_CHECKS} == {engine.CHANGE}
    tables |= dict.fromkeys(CHANGE_CHECKS)
    written = {code_of(name) for name in PAGES}
    reading = set(engine.READING)
    assert not reading & set(tables), "rules of reading are raised by the readers, not by a table"
    assert written - reading - set(tables) == set(), "pages without a check"
    assert (reading | set(tables)) - written == set(), "checks without a page"


def test_every_dialect_of_a_rule_has_its_check():
    for rule in catalog.rules().values():
        if rule.code in engine.READING or rule.code in CHECKS or rule.code in CHANGE_CHECKS:
            continue
        missing = [name for name in rule.dialects if rule.code not in dialect(name).CHECKS]
        assert not missing, f"{rule.code} claims {missing}"
    for name in DIALECTS:
        alien = [code for code in dialect(name).CHECKS if name not in catalog.rules()[code].dialects]
        assert not alien, f"the pages of {alien} do not claim {name}"


def test_names_are_unique():
    names = [rule.name for rule in catalog.rules().values()]
    assert len(names) == len(set(names))


def test_index_is_compiled_from_the_pages():
    index = (RULES.parent / "lbcheck" / "rules_index.py").read_text(encoding="utf-8")
    assert index == catalog.index_text(catalog.load(str(RULES))), "run: python -m lbcheck.catalog"


def test_exceptions_still_exist():
    assert set(WITHOUT_EXAMPLES) <= {code_of(name) for name in PAGES}


def test_options_are_those_that_checks_ask_for():
    asked = {}
    for path in (RULES.parent / "lbcheck").rglob("*.py"):
        for code, name, default in re.findall(r'\.option\(\s*"(\w+)",\s*"(\w+)",\s*([\d._]+)\s*\)', path.read_text()):
            asked.setdefault(code, {})[name] = float(default)
    told = {rule.code: dict(rule.options) for rule in catalog.rules().values() if rule.options}
    assert asked == told
