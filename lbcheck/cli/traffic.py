"""`lbcheck traffic`: options to a scenario, a forecast to a table, a picture or JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lbcheck.cli import options as taking
from lbcheck.cli.output import CLEAN, FAILED, FOUND, NOTHING, color, fail, show, target, warn_of_unmatched, width, write
from lbcheck.cli.servers import must_be_there
from lbcheck.report import TRAFFIC_REPORTERS, TRAFFIC_SUFFIXES
from lbcheck.traffic.scenario import KINDS, SEED, Scenario

if TYPE_CHECKING:
    from lbcheck.forecast import Forecast
    from lbcheck.traffic.outcome import Traffic


@click.command(
    "traffic",
    context_settings=taking.CONTEXT,
    epilog="""\b
Examples:
  lbcheck traffic haproxy.cfg                  who gets how much, and the worst loss of each pool
  lbcheck traffic . -o traffic.html            the same as a page with a drawing
  lbcheck traffic . --in-flight 200            and with 200 requests in flight in each pool
  lbcheck traffic . --lose web1 --kind hangs   what happens when web1 no longer answers
  lbcheck traffic . --output-format json       every share as a full double
\b
Exit codes: 0 the traffic is shown, 1 errors in a config, 2 lbcheck could not do its work, 3 no config was found.
""",
)
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@taking.together
@click.option(
    "--in-flight", type=click.IntRange(1, 1_000_000), metavar="N", help="Add the shares at N requests a pool."
)
@click.option(
    "--lose",
    multiple=True,
    metavar="NAME",
    help="Lose this server, or POOL/SERVER, not each in turn. Several: one after the other.",
)
@click.option("--lose-zone", "lose_zones", multiple=True, metavar="ZONE", help="Lose all servers of a zone at once.")
@click.option(
    "--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="How a lost server behaves."
)
@click.option("--exact", is_flag=True, help="Walk large hash rings point by point; they are estimated otherwise.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="What simulations start from.")
@taking.reading
@click.option("--stdin-filename", default="-", metavar="PATH", help="What standard input is called in the output.")
@taking.output(list(TRAFFIC_REPORTERS), next(iter(TRAFFIC_REPORTERS)))
@taking.settings_file
@taking.color
def command(paths: tuple[str, ...], **options: Any) -> None:
    """Show the share of requests that each server will get, and what losing one does.

    PATHS are files, folders, or - for standard input; without any, this folder. Nothing is executed and no connection
    is opened: the shares are computed as each proxy's own algorithm does it.
    """
    from lbcheck.discovery import PathMissingError
    from lbcheck.forecast import forecast
    from lbcheck.settings import SettingsError

    outputs = [target(output, TRAFFIC_REPORTERS, TRAFFIC_SUFFIXES) for output in options["outputs"]]
    try:
        settings = taking.settings_of(options)
        found = forecast(taking.request_of(paths, settings, options), settings, _scenario(options))
    except PathMissingError as error:
        fail(f"{error}: no such file or folder")
    except SettingsError as error:
        fail(str(error))
    warn_of_unmatched(found.traffic.unmatched)
    _must_be_there(found.traffic, options["lose"], options["lose_zones"])
    _report(found.traffic, outputs, options)
    sys.exit(_code(found))


def _scenario(options: dict[str, Any]) -> Scenario:
    from lbcheck.traffic.algorithms import MAX_RING_POINTS

    return Scenario(
        in_flight=options["in_flight"],
        lose=options["lose"],
        lose_zones=options["lose_zones"],
        kind=options["kind"],
        exact_points=MAX_RING_POINTS if options["exact"] else None,
        seed=options["seed"],
    )


def _must_be_there(traffic: Traffic, names: tuple[str, ...], zones: tuple[str, ...]) -> None:
    """Refuse a loss of something that no config has: an empty answer would pass for good news."""
    from lbcheck.traffic.outcome import loses_zone

    servers = [(pool, server) for pool in traffic.pools for server in pool.servers]
    must_be_there([(pool.name, server.name, server.address) for pool, server in servers], names)
    for zone in zones:
        if not any(loses_zone(server.zone, zone) for _, server in servers):
            known = sorted({server.zone for _, server in servers if server.zone})
            fail(f"--lose-zone {zone}: no server lies in it; zones are {', '.join(known) or 'declared nowhere'}")


def _report(traffic: Traffic, outputs: list[tuple[str, str]], options: dict[str, Any]) -> None:
    from lbcheck.report import traffic_reporter
    from lbcheck.report.options import Options

    for name, path in outputs:
        write(path, traffic_reporter(name)(traffic, Options()))
    form = Options(color=color(options), width=width())
    show(traffic_reporter(options["output_format"])(traffic, form))


def _code(found: Forecast) -> int:
    """Return the exit code, the same for every output format."""
    from lbcheck.engine import INTERNAL

    if any(error.code == INTERNAL for error in found.errors):
        return FAILED
    if found.errors:
        return FOUND
    return CLEAN if found.traffic.configs else NOTHING
