"""Reporters: one function per output format, `render(result, options) -> str`, imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.changes.outcome import Changes
    from lbcheck.report.options import Options
    from lbcheck.results import Result
    from lbcheck.traffic.outcome import Traffic

    DiffReporter = Callable[[Changes, Options], str]
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
    "concise": "lbcheck.report.diff_concise",
    "json": "lbcheck.report.diff_json",
    "html": "lbcheck.report.pictures.diff_html",
    "svg": "lbcheck.report.pictures.diff_svg",
    "markdown": "lbcheck.report.pictures.diff_markdown",
    "mermaid": "lbcheck.report.pictures.diff_mermaid",
}
DIFF_SUFFIXES = {
    ".json": "json",
    ".html": "html",
    ".md": "markdown",
    ".mmd": "mermaid",
    ".svg": "svg",
    ".txt": "text",
}


def reporter(name: str) -> Reporter:
    """Return the function that renders this format. Its text ends with a line end, or is empty.

    Raises KeyError for a name that is not in REPORTERS.
    """
    from importlib import import_module

    render: Reporter = import_module(REPORTERS[name]).render
    return render


def traffic_reporter(name: str) -> TrafficReporter:
    """Return the function that renders a traffic run in this format.

    Raises KeyError for a name that is not in TRAFFIC_REPORTERS.
    """
    from importlib import import_module

    render: TrafficReporter = import_module(TRAFFIC_REPORTERS[name]).render
    return render


def diff_reporter(name: str) -> DiffReporter:
    """Return the function that renders a diff in this format.

    Raises KeyError for a name that is not in DIFF_REPORTERS.
    """
    from importlib import import_module

    render: DiffReporter = import_module(DIFF_REPORTERS[name]).render
    return render
