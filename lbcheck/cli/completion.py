"""`lbcheck completion`: the shell's own completion script."""

from __future__ import annotations

import click


@click.command(
    "completion",
    epilog="""\b
Examples:
  lbcheck completion bash > ~/.local/share/bash-completion/completions/lbcheck
  lbcheck completion zsh > "${fpath[1]}/_lbcheck"
  lbcheck completion fish > ~/.config/fish/completions/lbcheck.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes lbcheck's words in your SHELL."""
    from click.shell_completion import get_completion_class

    from lbcheck.cli.commands import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(cli, {}, "lbcheck", "_LBCHECK_COMPLETE").source())
