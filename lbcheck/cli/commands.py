"""The sub-commands, each imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from lbcheck import __version__

#: Sub-command → (module, one line of help). An alias has the same module.
COMMANDS = {
    "check": ("lbcheck.cli.check", "Find the defects that the proxy's own checker lets through."),
    "traffic": ("lbcheck.cli.traffic", "Show the share of requests that each server will get."),
    "diff": ("lbcheck.cli.diff", "Show what a change moves, and which findings it brings."),
    "rehearse": ("lbcheck.cli.rehearse", "Run the config on the real proxy, in a sandbox, and count."),
    "probe": ("lbcheck.cli.probe", "Ask every server what its proxy would ask it. Talks to the network."),
    "gate": ("lbcheck.cli.gate", "Say whether a config may go live: GO or NO-GO, with the evidence."),
    "rule": ("lbcheck.cli.rule", "Explain a rule: why it matters, what to write, when to ignore it."),
    "explain": ("lbcheck.cli.rule", "The same as `rule`."),
    "completion": ("lbcheck.cli.completion", "Print the script that completes lbcheck's words in your shell."),
}
HIDDEN = frozenset({"explain"})


class Commands(click.Group):
    """A group whose members are modules with a click command named `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names that `--help` lists."""
        del ctx
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a sub-command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the sub-command; for an unknown one say which is meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from lbcheck.spelling import closest

            near = closest(args[0], list(COMMANDS))
            hint = f"Did you mean '{near}'?" if near else f"Commands: {', '.join(self.list_commands(ctx))}."
            ctx.fail(f"No such command '{args[0]}'. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the sub-commands without importing them."""
        rows = [(name, COMMANDS[name][1]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  lbcheck check nginx.conf             one config
  lbcheck check .                      every config below this folder
  nginx -T | lbcheck check -           what the running nginx would load
  lbcheck traffic nginx.conf           the share of each server
  lbcheck rule D01                     why a rule exists and what to write
""",
)
@click.version_option(__version__, "-V", "--version", message="lbcheck %(version)s")
def cli() -> None:
    """Check a load balancer's config before it is deployed.

    Reads nginx, HAProxy, Envoy, Traefik, Compose, Kubernetes and native YAML configs, and says where the traffic will
    go wrong. Only `rehearse` runs anything: the proxy itself, in a sandbox; and only `probe` talks to the network. All
    else executes nothing, opens no connection, and reads nothing but regular files.
    """
