"""The catalogue: rules/*.md as Rules, from an index that `python -m lbcheck.catalog` compiles from the pages."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from lbcheck.findings import SEVERITIES
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lbcheck.files import FileTree

#: Where a rule's page is read on the web.
PAGES_URL = "https://github.com/lbcheck/lbcheck/blob/main/rules/"
#: The keys of a page's front matter that the index holds, in its order; the page's file name comes last.
FIELDS = ("code", "name", "severity", "dialects", "since", "default", "preview", "options", "message", "help")
ROW = "tuple[str, str, str, tuple[str, ...], str, bool, bool, tuple[tuple[str, float], ...], str, str, str]"

_PLACEHOLDER = pattern(r"\{([a-z][a-z0-9_]*)\}")


class CatalogError(Exception):
    """A page or a folder of pages that cannot be used, in one line that names it."""


class Rule:
    """One rule: what its page's front matter says.

    `default` is whether it runs when nobody selects anything; a `preview` rule runs only with previews switched on.
    `options` are the thresholds that settings may change, with their defaults. `message` and `help` are templates
    with `{name}` placeholders. `path` is the page's file name, or the whole path where a page of the user's own
    replaces words of it.
    """

    __slots__ = (
        "code",
        "default",
        "dialects",
        "help",
        "message",
        "name",
        "options",
        "path",
        "preview",
        "severity",
        "since",
    )

    def __init__(
        self,
        code: str,
        name: str,
        severity: str,
        dialects: Sequence[str],
        since: str,
        default: bool,  # noqa: FBT001 - the index lists the values by position
        preview: bool,  # noqa: FBT001
        options: Sequence[tuple[str, float]],
        message: str,
        help: str,  # noqa: A002 - the page's own key
        path: str,
    ) -> None:
        self.code = code
        self.name = name
        self.severity = severity
        self.dialects = dialects
        self.since = since
        self.default = default
        self.preview = preview
        self.options = options
        self.message = message
        self.help = help
        self.path = path

    @property
    def url(self) -> str:
        """Where its page is read on the web."""
        return PAGES_URL + os.path.basename(self.path)

    def __repr__(self) -> str:
        return f"Rule({self.code} {self.name})"


_rules: dict[str, Rule] = {}


def rules() -> dict[str, Rule]:
    """Return all built-in rules by code, in order of their codes; the same dictionary at each call."""
    if not _rules:
        from lbcheck.rules_index import RULES

        _rules.update((row[0], Rule(*row)) for row in RULES)
    return _rules


def find(word: str, known: Mapping[str, Rule] | None = None) -> Rule | None:
    """Return the rule of this code or name, whatever the case of its letters."""
    known = rules() if known is None else known
    wanted = word.lower()
    return known.get(word.upper()) or next((rule for rule in known.values() if rule.name == wanted), None)


def render(template: str, args: Mapping[str, object]) -> str:
    """Fill `{name}` placeholders with `str(args[name])`; one that has no argument stays as it is written.

    Only plain names are placeholders: a template cannot reach an attribute or an index of an argument.
    """
    if "{" not in template:
        return template
    return _PLACEHOLDER.sub(lambda match: str(args.get(match[1], match[0])), template)


def placeholders(rule: Rule) -> set[str]:
    """Return the names that the rule's message and help want filled."""
    return set(_PLACEHOLDER.findall(rule.message + rule.help))


def page(rule: Rule) -> str:
    """Return the Markdown of the rule's page. Raises CatalogError where the page is not installed."""
    path = rule.path if os.path.isabs(rule.path) else os.path.join(_folder(), rule.path)
    return _text(path)


def sections(rule: Rule) -> dict[str, str]:
    """Return the page's sections, Why, Fix, When to ignore, Bad and Good, as Markdown."""
    from lbcheck import pages

    return pages.sections(pages.split(page(rule), rule.path)[1])


def _folder() -> str:
    """Return the folder of the pages: inside the package where it is installed, beside it in a checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(here, "rules")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(here), "rules")


def _text(path: str, files: FileTree | None = None) -> str:
    from lbcheck.files import UnreadableError, text_at

    try:
        return text_at(path, files)
    except UnreadableError as error:
        raise CatalogError(f"{path}: {error.reason}") from None


def front_matter(path: str, files: FileTree | None = None) -> dict[str, Any]:
    """Return the front matter of the page at `path`, its values not yet judged. Raises CatalogError."""
    import yaml

    from lbcheck import pages

    try:
        head = yaml.safe_load(pages.split(_text(path, files), path)[0])
    except pages.PageError as error:
        raise CatalogError(str(error)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise CatalogError(f"{path}: the front matter is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(head, dict):
        raise CatalogError(f"{path}: the front matter must be a mapping")
    return head


def page_names(folder: str, files: FileTree | None = None) -> list[str]:
    """Return the rule pages of a folder, sorted. Raises CatalogError where it is none."""
    from lbcheck.files import DiskFiles, UnreadableError

    try:
        names = (files or DiskFiles()).names(folder)
    except UnreadableError as error:
        raise CatalogError(f"{folder}: {error.reason}") from None
    return sorted(name for name in names if re.match(r"[A-Z][0-9]{2}-[a-z0-9-]+\.md$", name))


def load(folder: str) -> list[Rule]:
    """Return the rules of all pages in a folder, by code. The front matter is taken to be valid: tests hold it so."""
    found = []
    for name in page_names(folder):
        head = front_matter(os.path.join(folder, name))
        head["dialects"] = tuple(head["dialects"])
        head["options"] = tuple(head.get("options", {}).items())
        values = [*(head.get(field, False) for field in FIELDS), name]
        found.append(Rule(*values))
    return sorted(found, key=lambda rule: rule.code)


def replaced(folder: str, known: Mapping[str, Rule], files: FileTree | None = None) -> dict[str, Rule]:
    """Return the rules with the words of the user's own pages in place of ours.

    A page in the user's folder names an existing rule by its code and may give it another severity, default,
    message or help; its prose is what `lbcheck rule` then shows. The pages are read from `files`, without any from
    the disk. Raises CatalogError, also for a code that no check has: a page alone finds nothing.
    """
    changed = dict(known)
    for name in page_names(folder, files):
        path = os.path.abspath(os.path.join(folder, name))
        head = front_matter(path, files)
        rule = known.get(str(head.get("code")))
        if rule is None:
            raise CatalogError(
                f"{path}: code: no check has the code {head.get('code')}; a page can only replace one's words"
            )
        values = {field: getattr(rule, field) for field in FIELDS}
        for key, fits in _REPLACEABLE.items():
            if key in head and not fits(head[key]):
                raise CatalogError(f"{path}: {key}: {head[key]!r} cannot be used")
            values[key] = head.get(key, values[key])
        changed[rule.code] = Rule(**values, path=path)
    return changed


def _is_line(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\n" not in value


_REPLACEABLE: dict[str, Callable[[object], bool]] = {
    "severity": lambda value: value in SEVERITIES,
    "default": lambda value: isinstance(value, bool),
    "message": _is_line,
    "help": _is_line,
}


def index_text(known: Iterable[Rule]) -> str:
    """Return the Python module that holds the rules' front matter; the same text for the same pages."""
    rows = "".join(_row(rule) for rule in known)
    return (
        '"""The front matter of rules/*.md, compiled by `python -m lbcheck.catalog`; edit the pages, not this."""\n\n'
        "# ruff: noqa: E501\n"
        "from __future__ import annotations\n\n"
        f"RULES: tuple[\n    {ROW}, ...\n] = (\n"
        f"{rows})\n"
    )


def _row(rule: Rule) -> str:
    values = [*(getattr(rule, field) for field in FIELDS), rule.path]
    return "    (\n" + "".join(f"        {_literal(value)},\n" for value in values) + "    ),\n"


def _literal(value: object) -> str:
    """Return the literal as the project's formatter writes it: double quotes, unless they cost escapes."""
    if isinstance(value, tuple):
        inner = ", ".join(map(_literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    text = repr(value)
    if isinstance(value, str) and text[0] == "'" and '"' not in value:
        return f'"{text[1:-1]}"'
    return text


def main() -> None:
    """Compile the pages beside the package into lbcheck/rules_index.py."""
    import jsonschema
    import yaml

    folder = _folder()
    with open(os.path.join(folder, "schema.json"), encoding="utf-8") as stream:
        validator = jsonschema.Draft202012Validator(yaml.safe_load(stream))
    for name in page_names(folder):
        for error in validator.iter_errors(front_matter(os.path.join(folder, name))):
            raise SystemExit(f"{name}: {error.json_path}: {error.message}")
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules_index.py")
    with open(target, "w", encoding="utf-8") as stream:
        stream.write(index_text(load(folder)))


if __name__ == "__main__":
    main()
