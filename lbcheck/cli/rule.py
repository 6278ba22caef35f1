"""`lbcheck rule`: the catalogue, for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from lbcheck import catalog

if TYPE_CHECKING:
    from lbcheck.catalog import Rule


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    del ctx, param
    words = [word for rule in catalog.rules().values() for word in (rule.code, rule.name)]
    return [word for word in words if word.lower().startswith(incomplete.lower())]


@click.command(
    "rule",
    epilog="""\b
Examples:
  lbcheck rule D01            by code
  lbcheck rule weight-skew    or by name
  lbcheck rule --all          every rule, a line each
""",
)
@click.argument("word", metavar="CODE|NAME", required=False, shell_complete=_complete)
@click.option("--all", "every", is_flag=True, help="List every rule, a line each.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(word: str | None, *, every: bool, output_format: str) -> None:
    """Explain a rule: why it matters, what to write, when to ignore it."""
    if every == (word is not None):
        raise click.UsageError("name one rule by its code or name, or use --all")
    chosen = list(catalog.rules().values()) if word is None else [_named(word)]
    if output_format == "json":
        click.echo(_json(chosen))
    elif word is None:
        click.echo("\n".join(_line(rule) for rule in chosen))
    else:
        click.echo(_text(chosen[0]))


def _named(word: str) -> Rule:
    rule = catalog.find(word)
    if rule is None:
        from lbcheck.spelling import closest

        near = closest(word.lower(), [other.name for other in catalog.rules().values()])
        hint = f"did you mean {near}?" if near else "`lbcheck rule --all` lists them"
        raise click.UsageError(f"no rule {word!r}; {hint}")
    return rule


def _line(rule: Rule) -> str:
    default = "" if rule.default else "  (off by default)"
    return f"{rule.code}  {rule.severity:7}  {rule.name:36}  {', '.join(rule.dialects)}{default}"


def _text(rule: Rule) -> str:
    try:
        page = catalog.page(rule).partition("\n---\n")[2].strip()
    except catalog.CatalogError as error:
        click.echo(f"lbcheck: {error}", err=True)
        sys.exit(2)
    head = f"{rule.code} {rule.name}: {rule.severity}, since {rule.since}, for {', '.join(rule.dialects)}"
    state = "on by default" if rule.default else "off by default; switch it on with --extend-select"
    return f"{head}\n{state}\n\n  {rule.message}\n  help: {rule.help}\n\n{page}\n\n{rule.url}"


def _json(rules: list[Rule]) -> str:
    import json

    fields = ("code", "name", "severity", "dialects", "since", "default", "message", "help", "url")
    return json.dumps([{field: getattr(rule, field) for field in fields} for rule in rules], indent=2)
