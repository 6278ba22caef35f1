"""`--output-format sarif`: SARIF 2.1.0 (OASIS, with errata 01), for code scanning and editors.

Section numbers below are those of the standard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck import __version__
from lbcheck.report.escape import escape
from lbcheck.report.jsontext import dumps, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lbcheck.catalog import Rule
    from lbcheck.report.options import Options
    from lbcheck.results import Change, Finding, Note, Place, Result

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
#: The words that GitHub's code scanning has for the same in a rule's `problem.severity`.
_PROBLEMS = {"error": "error", "warning": "warning", "info": "recommendation"}
#: The finding that says that lbcheck itself failed.
_INTERNAL = "E00"
#: What a result's property bag tells of the finding's subject.
_SUBJECT = ("config", "dialect", "frontend", "route", "pool", "server", "object", "pointer")


def render(result: Result, options: Options) -> str:
    """Return a SARIF log with one run, a line for each result."""
    rules = _rules(result.findings, options.rules)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    driver = {"name": "lbcheck", "version": __version__, "semanticVersion": __version__, "rules": rules}
    members = (
        ("tool", dumps({"driver": driver})),
        ("columnKind", dumps("unicodeCodePoints")),
        ("invocations", dumps([_invocation(result)])),
        ("results", listed([_result(found, index) for found in result.findings])),
    )
    run = ",\n".join(f'"{key}": {text}' for key, text in members)
    return f'{{\n"$schema": {dumps(_SCHEMA)},\n"version": "2.1.0",\n"runs": [{{\n{run}\n}}]\n}}\n'


def _invocation(result: Result) -> dict[str, Any]:
    """Return how the run went: what was not checked belongs to it, so that silence about it is no praise."""
    return {
        "executionSuccessful": all(found.code != _INTERNAL for found in result.findings),
        "toolExecutionNotifications": [
            {
                "level": "warning",
                "message": _message(f"not checked: {note.message}"),
                "locations": [_location(note.place)],
            }
            for note in result.not_checked
        ],
    }


def _rules(findings: list[Finding], known: Mapping[str, Rule] | None) -> list[dict[str, Any]]:
    """Return a description of each rule that speaks in this run, in order of their codes."""
    if known is None:
        from lbcheck.catalog import rules

        known = rules()
    first: dict[str, Finding] = {}
    for found in findings:
        first.setdefault(found.code, found)
    return [_rule(first[code], known.get(code)) for code in sorted(first)]


def _rule(found: Finding, rule: Rule | None) -> dict[str, Any]:
    """Return a reportingDescriptor (3.49). A rule that the catalogue lacks is described by its first finding."""
    severity = rule.severity if rule else found.severity
    words = rule.message if rule else found.message
    advice = rule.help if rule else found.help
    described = {
        "id": found.code,
        "name": found.name,
        "shortDescription": _message(found.name.replace("-", " ")),
        "fullDescription": _message(words),
        "help": _message(advice or words),
        "defaultConfiguration": {"level": _LEVELS.get(severity, "warning")},
        "properties": {"problem.severity": _PROBLEMS.get(severity, "warning"), "tags": ["load-balancer"]},
    }
    url = rule.url if rule else found.url
    return {**described, "helpUri": url} if url else described


def _result(found: Finding, index: dict[str, int]) -> dict[str, Any]:
    words = f"{found.message}; {found.help}" if found.help else found.message
    subject = {key: value for key in _SUBJECT if (value := getattr(found, key))}
    written = {
        "ruleId": found.code,
        "ruleIndex": index[found.code],
        "level": _LEVELS.get(found.severity, "warning"),
        "message": _message(words),
        "locations": [_location(found.place)],
        "partialFingerprints": {
            "lbcheck/v1": found.fingerprint,
            # the one that GitHub compares; its upload action computes it from the line where it is missing
            "primaryLocationLineHash": found.fingerprint,
        },
        "properties": subject,
    }
    if found.related:
        written["relatedLocations"] = [_related(number, note) for number, note in enumerate(found.related, 1)]
    if found.fix:
        written["fixes"] = [_fix(found.fix)]
    return written


def _related(number: int, note: Note) -> dict[str, Any]:
    return {"id": number, **_location(note.place), "message": _message(note.message)}


def _location(place: Place) -> dict[str, Any]:
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "charOffset": place.start,
        "charLength": place.end - place.start,
    }
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(place.path)}, "region": region}}


def _fix(change: Change) -> dict[str, Any]:
    """Return a fix (3.55): one artifactChange for each file, its replacements in the order of the edits."""
    replacements: dict[str, list[dict[str, Any]]] = {}
    for path, start, end, text in change.edits:
        replacements.setdefault(path, []).append(
            {"deletedRegion": {"charOffset": start, "charLength": end - start}, "insertedContent": {"text": text}}
        )
    return {
        "description": _message(change.title),
        "artifactChanges": [
            {"artifactLocation": {"uri": _uri(path)}, "replacements": edits} for path, edits in replacements.items()
        ],
        "properties": {"safe": change.safe},
    }


def _message(text: str) -> dict[str, str]:
    """Return a plain-text message: braces are doubled (3.11.5), and `](` cannot end the text of a link (3.11.6)."""
    return {"text": escape(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")}


def _uri(path: str) -> str:
    """Return a path as a URI reference (RFC 3986), percent-encoded byte by byte; an absolute one as file://."""
    from urllib.parse import quote

    try:
        quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    except UnicodeEncodeError:
        quoted = quote(path.encode("utf-8", "surrogatepass"), safe="/")
    return f"file://{quoted}" if path.startswith("/") else quoted
