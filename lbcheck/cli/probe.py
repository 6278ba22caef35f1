"""`lbcheck probe`: options to wishes, servers to a table or JSON. The one command that talks to the network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lbcheck.cli import options as taking
from lbcheck.cli.output import CLEAN, FOUND, NOTHING, color, fail, show, target, width, write
from lbcheck.report import PROBE_REPORTERS, PROBE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.live.outcome import Probes
    from lbcheck.live.plan import PlannedPool
    from lbcheck.live.probe import Wishes
    from lbcheck.project import Request
    from lbcheck.settings import Settings


@click.command(
    "probe",
    context_settings=taking.CONTEXT,
    epilog="""\b
Examples:
  lbcheck probe --dry-run haproxy.cfg                  what would be connected to; connects nowhere
  lbcheck probe haproxy.cfg                            which servers would be down, seen from here
  lbcheck probe . --resolve app.internal:10.0.0.7      a name that only the server's resolver knows
  lbcheck probe nginx.conf --output-format json        everything, for scripts
\b
This is the only command that talks to the network: it looks up the names and connects to every server that the
configs name, from this machine. Run it on configs that you trust, best where the proxy will run.
Exit codes: 0 no server would be down, 1 one would, 2 lbcheck could not do its work, 3 nothing was probed.
""",
)
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@taking.together
@click.option("--dry-run", is_flag=True, help="Print what would be connected to, and connect nowhere.")
@click.option("--resolve", multiple=True, metavar="NAME:ADDR", help="Take this address for a name; several: each.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.01, 600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="At most so long for a name, a connection, an answer; less where the proxy waits less.",
)
@click.option(
    "--concurrency", type=click.IntRange(1, 1000), default=100, show_default=True, help="Servers probed at a time."
)
@click.option(
    "--max-time",
    type=click.FloatRange(0.1, 86_400),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="At most so long for all of it.",
)
@taking.reading
@click.option("--stdin-filename", default="-", metavar="PATH", help="What standard input is called in the output.")
@taking.output(list(PROBE_REPORTERS), next(iter(PROBE_REPORTERS)))
@taking.settings_file
@taking.color
def command(paths: tuple[str, ...], **options: Any) -> None:
    """Connect to every server of every pool, and ask it what its proxy would ask it.

    PATHS are files, folders, or - for standard input; without any, this folder. Of each server: its name's address,
    the connection, TLS verified as the proxy verifies it, and the configured health check as the proxy sends it.
    Where the config sets no check, a connection is all. THIS COMMAND TALKS TO THE NETWORK; no other one does.
    """
    from lbcheck.discovery import PathMissingError
    from lbcheck.settings import SettingsError

    outputs = [target(output, PROBE_REPORTERS, PROBE_SUFFIXES) for output in options["outputs"]]
    try:
        settings = taking.settings_of(options)
        request = taking.request_of(paths, settings, options)
        wishes = wished(settings, options["timeout"], options["concurrency"], options["max_time"], options["resolve"])
        found = probed(request, settings, wishes, dry_run=options["dry_run"])
    except PathMissingError as error:
        fail(f"{error}: no such file or folder")
    except SettingsError as error:
        fail(str(error))
    _report(found, outputs, options)
    sys.exit(_code(found))


def probed(request: Request, settings: Settings, wishes: Wishes, *, dry_run: bool = False) -> Probes:
    """Probe every server of what is to be looked at. Raises PathMissingError."""
    from lbcheck.live.outcome import Probes
    from lbcheck.live.plan import reported
    from lbcheck.live.probe import probe

    found = Probes(dry_run=dry_run)
    planned = _planned(request, settings, found)
    verdicts = None
    if not dry_run:
        targets = [one.target for pool in planned for one in pool.servers if one.target is not None]
        verdicts = probe(targets, wishes, _progress())
    found.pools = [reported(pool, verdicts) for pool in planned]
    return found


def _planned(request: Request, settings: Settings, found: Probes) -> list[PlannedPool]:
    """Read the configs, and plan for those that their proxies would load; the others are noted."""
    from lbcheck import engine, project
    from lbcheck.live.here import Here
    from lbcheck.live.plan import plan
    from lbcheck.places import place
    from lbcheck.results import Note

    here = Here(settings.root)
    planned: list[PlannedPool] = []
    for config in project.configs(project.prepare(request)):
        found.not_checked += [Note(place(item.span), item.reason) for item in config.unmodelled]
        if engine.broken(config):
            found.broken.append(config.path)
        elif config.dialect:
            planned += plan(config, here)
    return planned


def wished(
    settings: Settings, timeout: float, concurrency: int, max_time: float, resolve: Sequence[str] = ()
) -> Wishes:
    """Return how to probe: limits, and the addresses of names that `[hosts]` and `--resolve` give.

    Raises click.UsageError.
    """
    from lbcheck.live.probe import Wishes

    hosts = {name: list(addresses) for name, addresses in settings.addresses.items()}
    given: dict[str, list[str]] = {}
    for text in resolve:
        name, address = _resolved(text)
        given.setdefault(name, []).append(address)
    return Wishes(timeout, concurrency, max_time, {**hosts, **given})


def _resolved(text: str) -> tuple[str, str]:
    """Return the name and the address of a `--resolve NAME:ADDR`. Raises click.UsageError."""
    from lbcheck.live.names import literal

    name, _, address = text.partition(":")
    address = address.strip("[]")
    if not name or not literal(address):
        raise click.UsageError(f"--resolve {text}: write NAME:ADDRESS, as in app.internal:10.0.0.7")
    return name.lower(), address


def _progress() -> Callable[[int, int], None]:
    if not sys.stderr.isatty():
        return lambda *_: None

    def told(done: int, of: int) -> None:
        click.echo("\r\x1b[K" if done == of else f"\r\x1b[Kprobed {done:,} of {of:,}", err=True, nl=False)

    return told


def _report(found: Probes, outputs: list[tuple[str, str]], options: dict[str, Any]) -> None:
    from lbcheck.report import probe_reporter
    from lbcheck.report.options import Options

    for name, path in outputs:
        write(path, probe_reporter(name)(found, Options()))
    form = Options(color=color(options), width=width())
    show(probe_reporter(options["output_format"])(found, form))


def _code(found: Probes) -> int:
    from lbcheck.live import outcome

    if found.count(outcome.DOWN) or found.broken:
        return FOUND
    reached = sum(found.count(state) for state in (outcome.UP, outcome.UNKNOWN, outcome.PLANNED))
    return CLEAN if reached else NOTHING
