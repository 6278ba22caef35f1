"""`lbcheck rehearse`: run each config on the real proxy, in a sandbox, and hold the counts against the prediction."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lbcheck.cli import interrupt
from lbcheck.cli import options as taking
from lbcheck.cli.output import CLEAN, FAILED, FOUND, NOTHING, color, fail, show, target, width, write
from lbcheck.cli.servers import must_be_there
from lbcheck.rehearsal.planning.wishes import LOSSES, REHEARSED
from lbcheck.report import REHEARSE_REPORTERS, REHEARSE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.model import Config
    from lbcheck.project import Request
    from lbcheck.rehearsal.outcome import Rehearsed
    from lbcheck.rehearsal.planning.wishes import Wishes
    from lbcheck.settings import Settings

#: Why no proxy is started with a config, by dialect.
_NO_PROXY = {
    "kubernetes": "controllers in the cluster apply its objects, no proxy is started with them",
    "compose": "its routers are labels of containers, which Docker would have to tell",
}
#: More configs than these that are not rehearsed are not named.
_NAMED = 20


@click.command(
    "rehearse",
    context_settings=taking.CONTEXT,
    epilog="""\b
Examples:
  lbcheck rehearse nginx.conf                  under load, and the counts against the prediction
  lbcheck rehearse --only-native .             `nginx -t`, `haproxy -c`, `envoy --mode validate`, anywhere
  lbcheck rehearse haproxy.cfg --no-losses     normal operation only: a few seconds
  lbcheck rehearse . --lose web1 --lose-kind hangs
  lbcheck rehearse new.cfg --from old.cfg      and requests that are lost while it is reloaded
  lbcheck rehearse haproxy.cfg -o out.html     a page with measured beside predicted; also .json .xml
\b
Everything runs in namespaces of its own: private addresses, files and processes, gone at the end. Where there are
none, the config is rewritten for loopback and a private folder, or refused; then no server is lost.
Exit codes: 0 what was judged is as predicted, 1 something is not, or the proxy refuses the config, 2 lbcheck could not
do its work or not all that was asked for, 3 nothing was judged.
""",
)
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@taking.together
@click.option(
    "--binary", metavar="PATH", help="The nginx, haproxy, envoy or traefik to run.  [default: the one on PATH]"
)
@click.option("--only-native", is_flag=True, help="Stop after the proxy's own check.")
@click.option(
    "--no-namespaces", is_flag=True, help="Rewrite the config for loopback, as where there are no namespaces."
)
@click.option("--trust-config", "trusted", is_flag=True, help="Let the config load modules and run code.")
@click.option(
    "--requests", type=click.IntRange(1, 20_000), help="Requests to each pool.  [default: what shows the shares]"
)
@click.option(
    "--seconds", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="At most so long a pool."
)
@click.option("--no-losses", is_flag=True, help="Normal operation only: lose no server.")
@click.option(
    "--lose", multiple=True, metavar="NAME", help="Lose this server, or POOL/SERVER, instead of each in turn."
)
@click.option(
    "--lose-kind",
    "kind",
    type=click.Choice(LOSSES),
    default=LOSSES[0],
    show_default=True,
    help="How a lost server behaves.",
)
@click.option(
    "--patience",
    type=click.FloatRange(1, 3600),
    default=120.0,
    show_default=True,
    help="Wait at most so many seconds until a loss is noticed.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 100),
    default=1.0,
    show_default=True,
    help="So many points may a share be off under concurrent load.",
)
@click.option("--from", "old", metavar="OLD", help="Reload from this config to the given one, under load.")
@click.option("--seed", type=int, default=1, show_default=True, help="What keys and client addresses start from.")
@click.option("--show-rewrites", is_flag=True, help="List what was changed of the config, and made up for it.")
@taking.reading
@taking.output(list(REHEARSE_REPORTERS), next(iter(REHEARSE_REPORTERS)))
@taking.settings_file
@taking.color
def command(paths: tuple[str, ...], **options: Any) -> None:
    """Run the config on the real proxy, in a sandbox, under load, and count where the requests go.

    Proxies: nginx, HAProxy, Envoy, Traefik. Then each server is lost in turn, and comes back; alike ones once. What is
    counted is held against the prediction.
    PATHS are files, folders, or - for standard input; without any, this folder. Host names, certificates and addresses
    of the server need not exist: they are made up inside the sandbox, which nothing can leave.
    """
    from lbcheck.discovery import PathMissingError
    from lbcheck.rehearsal.planning.staging import NoBinaryError
    from lbcheck.rehearsal.play.sandbox import UnusableError
    from lbcheck.settings import SettingsError

    outputs = [target(output, REHEARSE_REPORTERS, REHEARSE_SUFFIXES) for output in options["outputs"]]
    if options["lose"] and (options["no_losses"] or options["only_native"]):
        raise click.UsageError("--lose names a server to lose, and --no-losses or --only-native loses none")
    try:
        settings = taking.settings_of(options)
        with interrupt.heard():
            found = _rehearsed(paths, settings, options)
    except PathMissingError as error:
        fail(f"{error}: no such file or folder")
    except UnusableError as error:
        fail(f"no sandbox can be made here: {error}")
    except (SettingsError, NoBinaryError) as error:
        fail(str(error))
    _report(found, outputs, options)
    sys.exit(_code(found, only_native=options["only_native"], named=bool(options["lose"])))


def _rehearsed(paths: tuple[str, ...], settings: Settings, options: dict[str, Any]) -> list[Rehearsed]:
    from lbcheck.rehearsal.play.sandbox import UnusableError

    every = _configs(taking.request_of(paths, settings, options))
    _tell_left_out(every)
    configs = _declared(every, settings)
    old = _old(configs, settings, options)
    must_be_there(list(_servers(configs)), options["lose"])
    wishes = _wishes(options)
    if options["no_namespaces"]:
        return _rewritten(configs, wishes, old, "--no-namespaces")
    try:
        return rehearsed(configs, wishes, old)
    except UnusableError as error:
        return _rewritten(configs, wishes, old, f"no sandbox can be made here: {error}")


def rehearsable(request: Request, settings: Settings) -> list[Config]:
    """Return the configs for which there is a proxy to run. Raises PathMissingError."""
    return _declared(_configs(request), settings)


def _configs(request: Request) -> list[Config]:
    from lbcheck import project

    return list(project.configs(project.prepare(request)))


def _declared(configs: Sequence[Config], settings: Settings) -> list[Config]:
    from lbcheck.declared import declare

    found = [config for config in configs if _left_out(config) is None]
    for config in found:
        declare(config, settings.declarations())
    return found


def _left_out(config: Config) -> str | None:
    """Return why no proxy can be started with a config; None where one can."""
    from lbcheck.rehearsal.proxies.table import adapter

    if config.dialect not in REHEARSED:
        return _NO_PROXY.get(config.dialect, "it is no proxy's own config")
    return None if adapter(config.dialect).takes(config) else _NO_PROXY["compose"]


def _tell_left_out(configs: Sequence[Config]) -> None:
    """Name on standard error what is not rehearsed, and why."""
    from lbcheck.report.escape import escape, shown_path

    told = [f"{shown_path(one.path)}: not rehearsed: {escape(why)}" for one in configs if (why := _left_out(one))]
    for line in told[:_NAMED]:
        click.echo(line, err=True)
    if len(told) > _NAMED:
        click.echo(f"… and {len(told) - _NAMED} more configs are not rehearsed", err=True)
    if not configs:
        click.echo("no config to rehearse was found", err=True)


def rehearsed(configs: Sequence[Config], wishes: Wishes, old: Config | None = None) -> list[Rehearsed]:
    """Rehearse configs one by one, and show how far it is. Raises UnusableError and NoBinaryError."""
    from lbcheck.cli.watching import watched
    from lbcheck.rehearsal.rehearse import rehearse

    with watched() as tell:
        return [rehearse(config, wishes, tell, old) for config in configs]


def rehearsed_where_possible(configs: Sequence[Config], wishes: Wishes) -> list[Rehearsed]:
    """Rehearse those configs whose proxies are installed; the others say so. Raises UnusableError, NoBinaryError: none.

    One project may hold several balancers, of which this machine does not have every proxy.
    """
    from lbcheck.rehearsal.outcome import Rehearsed
    from lbcheck.rehearsal.planning.staging import NoBinaryError, binary

    missing: dict[str, NoBinaryError] = {}
    for dialect in dict.fromkeys(config.dialect for config in configs):
        try:
            binary(dialect, wishes)
        except NoBinaryError as error:
            missing[dialect] = error
    here = [config for config in configs if config.dialect not in missing]
    if missing and not here:
        raise next(iter(missing.values()))
    absent = [config for config in configs if config.dialect in missing]
    unplayed = [Rehearsed(config.path, config.dialect, error=str(missing[config.dialect])) for config in absent]
    return [*rehearsed(here, wishes), *unplayed]


def _rewritten(configs: Sequence[Config], wishes: Wishes, old: Config | None, why: str) -> list[Rehearsed]:
    """Rehearse configs without namespaces. Raises UnusableError and NoBinaryError."""
    from lbcheck.cli.watching import watched
    from lbcheck.rehearsal import rewritten

    with watched() as tell:
        return [rewritten.rehearse(config, wishes, reread, why, tell, old) for config in configs]


def reread(dialect: str, path: str, text: str) -> Config:
    """Return the config of a text, as if it lay at a path."""
    from lbcheck import project
    from lbcheck.project import Request

    (config,) = project.configs(project.prepare(Request(("-",), stdin=text, stdin_name=path, dialect=dialect)))
    return config


def _servers(configs: Sequence[Config]) -> Iterator[tuple[str, str, str]]:
    from lbcheck.redaction import without

    for config in configs:
        for pool in config.pools:
            yield from ((pool.name, without(one.name, []), without(one.address.text, [])) for one in pool.servers)


def _old(configs: Sequence[Config], settings: Settings, options: dict[str, Any]) -> Config | None:
    """Return the config to reload from: there has to be one, and one to reload to."""
    if options["old"] is None:
        return None
    old = rehearsable(taking.request_of((options["old"],), settings, {**options, "together": ()}), settings)
    if len(configs) != 1 or len(old) != 1:
        fail(f"--from reloads from one config to one: {len(old)} found in {options['old']}, {len(configs)} given")
    if old[0].dialect != configs[0].dialect:
        fail(f"--from {options['old']}: {old[0].dialect} cannot be reloaded as {configs[0].dialect}")
    return old[0]


def _wishes(options: dict[str, Any]) -> Wishes:
    from lbcheck.rehearsal.planning.wishes import Wishes

    known = {**options, "losses": not options["no_losses"]}
    return Wishes(**{name: known[name] for name in Wishes._fields})


def _report(found: Sequence[Rehearsed], outputs: list[tuple[str, str]], options: dict[str, Any]) -> None:
    from lbcheck.report import rehearse_reporter
    from lbcheck.report.options import Options

    for name, path in outputs:
        write(path, rehearse_reporter(name)(found, Options()))
    form = Options(color=color(options), width=width())
    show(rehearse_reporter(options["output_format"])(found, form))
    if options["show_rewrites"]:
        _rewrites(found)


def _rewrites(found: Sequence[Rehearsed]) -> None:
    from lbcheck.report.escape import escape

    for one in found:
        for change in one.rewrites:
            after = f"`{change.after}`" if change.after else "nothing"
            what = f"`{change.before}` became {after}" if change.before else f"added {after}"
            click.echo(escape(f"{change.path}:{change.line}: {what}: {change.reason}"))
        for name in one.made_up:
            click.echo(escape(f"{one.config}: made up {name}"))


def _code(found: Sequence[Rehearsed], *, only_native: bool, named: bool) -> int:
    """Return the exit code: what was asked for and not played is not clean, nor is what nothing was held against."""
    from lbcheck.rehearsal.outcome import held, unplayed

    if any(one.broken for one in found):
        return FAILED
    if any(one.differs for one in found):
        return FOUND
    if unplayed(found, named=named):
        return FAILED
    return CLEAN if found and (only_native or held(found)) else NOTHING
