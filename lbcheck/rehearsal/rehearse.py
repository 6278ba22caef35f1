"""One rehearsal: make the config ready, let the proxy check it, run it under load, and judge the counts."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from lbcheck.rehearsal import haproxy, nginx, sandbox
from lbcheck.rehearsal.missing import missing
from lbcheck.rehearsal.outcome import MeasuredPool, Message, Rehearsed
from lbcheck.rehearsal.plan import plan
from lbcheck.rehearsal.script import Script
from lbcheck.rehearsal.verdict import Counted, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.model import Config
    from lbcheck.rehearsal.plan import Plan
    from lbcheck.rehearsal.prepared import Prepared

#: How often the native check is asked again with what it missed made up. nginx names one thing at a time.
_ROUNDS = 60
_PREPARE = {"nginx": nginx.prepare, "haproxy": haproxy.prepare}
CERTIFICATE = "/run/lbcheck-rehearsal.pem"
_PLACE = re.compile(
    r" in (?P<a>/\S+?):(?P<b>\d+)|\[(?P<c>/[^\s:\]]+):(?P<d>\d+)\]|parsing \[(?P<e>/[^\s:]+):(?P<f>\d+)\]"
)


class Wishes(NamedTuple):
    """What the user wants of a rehearsal."""

    binary: str | None = None
    trusted: bool = False
    only_native: bool = False
    requests: int | None = None
    seconds: float = 10.0
    seed: int = 1


class NoBinaryError(Exception):
    """The proxy is not installed; the text is one line with the command that installs it."""


def rehearse(config: Config, wishes: Wishes, progress: Callable[[str], None] = lambda _: None) -> Rehearsed:
    """Rehearse one config. Raises NoBinaryError and sandbox.UnusableError."""
    prepared = _PREPARE[config.dialect](config, _binary(config.dialect, wishes), trusted=wishes.trusted)
    if prepared.refused:
        reason = f"it loads or runs code ({prepared.refused[0]}); --trust-config lets it"
        return _ended(config, prepared, (), reason, accepted=False)
    made = plan(config, wishes.requests, wishes.seconds, wishes.seed)
    certificate = _Certificate(made)
    if any(stub.tls for stub in made.stubs):
        prepared.files[CERTIFICATE] = certificate()
    script = _script(prepared, made)
    progress("checking")
    events, made_up = _checked(script, made, certificate, only=wishes.only_native)
    return _judged(config, prepared, made, events, made_up, only=wishes.only_native)


def _binary(dialect: str, wishes: Wishes) -> str:
    path = shutil.which(wishes.binary or dialect, path=None if wishes.binary else _search_path())
    if path is None:
        raise NoBinaryError(f"{wishes.binary or dialect} is not installed: apt-get install {dialect}")
    return path


def _search_path() -> str:
    import os

    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


class _Certificate:
    """A certificate for every name of the sandbox, made when it is asked for: key, certificate and its authority."""

    def __init__(self, made: Plan) -> None:
        self._made = made
        self._text = ""

    def __call__(self) -> str:
        if not self._text:
            import trustme

            names = ["localhost", "127.0.0.1", "rehearsal.test", *self._made.names]
            names += [stub.host for stub in self._made.stubs if stub.host]
            authority = trustme.CA()
            leaf = authority.issue_cert(*dict.fromkeys(names))
            parts = [leaf.private_key_pem, *leaf.cert_chain_pems, authority.cert_pem]
            self._text = "".join(part.bytes().decode() for part in parts)
        return self._text


def _script(prepared: Prepared, made: Plan) -> Script:
    return Script(
        prepared.check, prepared.run, "", dict(prepared.files), tuple(sorted(prepared.folders)), (),
        tuple(made.stubs), tuple(made.loads), (), tuple(sorted(made.ready)), CERTIFICATE,
    )  # fmt: skip


def _checked(
    script: Script, made: Plan, certificate: Callable[[], str], *, only: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """Play the script; where its check misses something that lives on the server, make it up and play again."""
    made_up: list[str] = []
    for _ in range(_ROUNDS):
        files = {
            **script.files,
            "/etc/hosts": made.hosts(),
            "/etc/resolv.conf": "",
            "/etc/nsswitch.conf": "hosts: files\n",
        }
        events = list(sandbox.play(script._replace(files=files, only_check=only)))
        checked = next((event for event in events if event["event"] == "checked"), None)
        if checked is None or checked["status"] == 0:
            break
        wanted = missing(checked["output"], certificate, {*made_up, *script.files})
        for host in wanted.hosts - made.names.keys():
            made.address_of(host)
            made_up.append(host)
        fresh = {path: text for path, text in wanted.files.items() if path not in made_up}
        folders = wanted.folders - set(script.folders)
        if not fresh and not folders and not wanted.hosts - set(made_up[: len(made_up) - len(wanted.hosts)]):
            break
        made_up += [*fresh, *folders]
        script = script._replace(files={**script.files, **fresh}, folders=(*script.folders, *folders))
    return events, made_up


def _judged(
    config: Config, prepared: Prepared, made: Plan, events: list[dict[str, Any]], made_up: list[str], *, only: bool
) -> Rehearsed:
    by_name: dict[str, dict[str, Any]] = {event["event"]: event for event in events}
    checked = by_name.get("checked")
    unusable = by_name.get("unusable")
    native = _messages(checked["output"], prepared) if checked is not None else ()
    accepted = checked is not None and checked["status"] == 0
    if unusable is not None:
        said = unusable.get("output", "").strip().splitlines()
        reason = f"{unusable['reason']}: {said[-1]}" if said else unusable["reason"]
        return _ended(config, prepared, native, reason, accepted=accepted, made_up=made_up)
    if not accepted or only:
        return _ended(config, prepared, native, None, accepted=accepted, made_up=made_up)
    pools = _pools(config, made, [event for event in events if event["event"] == "load"])
    error = None if "done" in by_name else "the rehearsal ended early"
    return _ended(config, prepared, native, error, accepted=True, pools=pools, made_up=made_up)


def _pools(config: Config, made: Plan, events: list[dict[str, Any]]) -> tuple[MeasuredPool, ...]:
    answers = {event["number"]: event for event in events}
    found = []
    for target in made.targets:
        counted = None
        for number in target.loads:
            event = answers.get(number)
            if event is not None and event["stubs"] and event["stubs"][0] in made.loads[number].expect:
                counted = Counted(made.loads[number], target.stubs, event["stubs"], event["statuses"])
        found.append(judge(target, config.dialect, counted))
    return tuple(found)


def _messages(output: str, prepared: Prepared) -> tuple[Message, ...]:
    """Return the native check's lines with places in the user's own files."""
    found = []
    for line in output.splitlines():
        if not line.strip():
            continue
        match = _PLACE.search(line)
        path = line_number = None
        if match:
            groups = [group for group in match.groups() if group]
            path, line_number = prepared.places.get(groups[0]), int(groups[1])
        text = line
        for inside, outside in prepared.places.items():
            text = text.replace(inside, outside)
        found.append(Message(path, line_number if path else None, text))
    return tuple(found)


def _ended(
    config: Config,
    prepared: Prepared,
    native: tuple[Message, ...],
    error: str | None,
    *,
    accepted: bool,
    pools: tuple[MeasuredPool, ...] = (),
    made_up: list[str] | None = None,
) -> Rehearsed:
    return Rehearsed(
        config.path, config.dialect, accepted, native, pools, tuple(prepared.rewrites), tuple(made_up or ()), error
    )
