"""Reporters: one function per output format, `render(result, options) -> str`, imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.changes.outcome import Changes
    from lbcheck.gate.outcome import Verdict
    from lbcheck.live.outcome import Probes
    from lbcheck.rehearsal.outcome import Rehearsed
    from lbcheck.report.options import Options
    from lbcheck.results import Result
    from lbcheck.traffic.outcome import Traffic

    GateReporter = Callable[[Verdict, Options], str]
    DiffReporter = Callable[[Changes, Options], str]
    ProbeReporter = Callable[[Probes, Options], str]
    RehearseReporter = Callable[[Sequence[Rehearsed], Options], str]
    TrafficReporter = Callable[[Traffic, Options], str]
    Reporter = Callable[[Result, Options], str]

#: Output format → the module whose `render` writes it.
REPORTERS = {
    "full": "lbcheck.report.full",
    "concise": "lbcheck.report.concise",
    "json": "lbcheck.report.json_object",
    "json-lines": "lbcheck.report.json_lines",
    "sarif": "lbcheck.report.sarif",
    "github": "lbcheck.report.github",
    "gitlab": "lbcheck.report.gitlab",
    "junit": "lbcheck.report.junit",
}

#: File suffix → the format that it stands for where none is named. GitLab's reports are .json too: name the format.
SUFFIXES = {
    ".json": "json",
    ".jsonl": "json-lines",
    ".ndjson": "json-lines",
    ".sarif": "sarif",
    ".txt": "full",
    ".xml": "junit",
}

#: The same for `lbcheck traffic`; the first one is the default.
TRAFFIC_REPORTERS = {
    "text": "lbcheck.report.pictures.traffic_text",
    "json": "lbcheck.report.traffic_json",
    "html": "lbcheck.report.pictures.traffic_html",
    "svg": "lbcheck.report.pictures.traffic_svg",
    "markdown": "lbcheck.report.pictures.traffic_markdown",
    "mermaid": "lbcheck.report.pictures.traffic_mermaid",
}
TRAFFIC_SUFFIXES = {
    ".json": "json",
    ".html": "html",
    ".md": "markdown",
    ".mmd": "mermaid",
    ".svg": "svg",
    ".txt": "text",
}

#: The same for `lbcheck diff`.
DIFF_REPORTERS = {
    "text": "lbcheck.report.pictures.diff_text",
    "html": "lbcheck.report.pictures.diff_html",
    "concise": "lbcheck.report.diff_concise",
    "json": "lbcheck.report.diff_json",
    "svg": "lbcheck.report.pictures.diff_svg",
    "markdown": "lbcheck.report.pictures.diff_markdown",
    "mermaid": "lbcheck.report.pictures.diff_mermaid",
}
DIFF_SUFFIXES = {
    ".html": "html",
    ".md": "markdown",
    ".mmd": "mermaid",
    ".json": "json",
    ".svg": "svg",
    ".txt": "text",
}


def _render(module: str) -> Any:
    from importlib import import_module

    return import_module(module).render


def reporter(name: str) -> Reporter:
    """Return the function that renders this format. Its text ends with a line end, or is empty.

    Raises KeyError for a name that is not in REPORTERS.
    """
    render: Reporter = _render(REPORTERS[name])
    return render


def traffic_reporter(name: str) -> TrafficReporter:
    """Return the function that renders a traffic run in this format.

    Raises KeyError for a name that is not in TRAFFIC_REPORTERS.
    """
    render: TrafficReporter = _render(TRAFFIC_REPORTERS[name])
    return render


def diff_reporter(name: str) -> DiffReporter:
    """Return the function that renders a diff in this format.

    Raises KeyError for a name that is not in DIFF_REPORTERS.
    """
    render: DiffReporter = _render(DIFF_REPORTERS[name])
    return render


#: The same for `lbcheck rehearse`.
REHEARSE_REPORTERS = {
    "text": "lbcheck.report.rehearse_text",
    "json": "lbcheck.report.rehearse_json",
    "html": "lbcheck.report.pictures.rehearse_html",
    "junit": "lbcheck.report.rehearse_junit",
}
REHEARSE_SUFFIXES = {".html": "html", ".json": "json", ".txt": "text", ".xml": "junit"}


def rehearse_reporter(name: str) -> RehearseReporter:
    """Return the function that renders rehearsals in this format.

    Raises KeyError for a name that is not in REHEARSE_REPORTERS.
    """
    render: RehearseReporter = _render(REHEARSE_REPORTERS[name])
    return render


#: The same for `lbcheck gate`.
GATE_REPORTERS = {
    "text": "lbcheck.report.gate_text",
    "json": "lbcheck.report.gate_json",
    "html": "lbcheck.report.pictures.gate_html",
    "markdown": "lbcheck.report.gate_markdown",
}
GATE_SUFFIXES = {".html": "html", ".json": "json", ".md": "markdown", ".txt": "text"}


def gate_reporter(name: str) -> GateReporter:
    """Return the function that renders a verdict in this format.

    Raises KeyError for a name that is not in GATE_REPORTERS.
    """
    render: GateReporter = _render(GATE_REPORTERS[name])
    return render


#: The same for `lbcheck probe`.
PROBE_REPORTERS = {
    "text": "lbcheck.report.probe_text",
    "json": "lbcheck.report.probe_json",
}
PROBE_SUFFIXES = {".json": "json", ".txt": "text"}


def probe_reporter(name: str) -> ProbeReporter:
    """Return the function that renders probes in this format.

    Raises KeyError for a name that is not in PROBE_REPORTERS.
    """
    render: ProbeReporter = _render(PROBE_REPORTERS[name])
    return render
