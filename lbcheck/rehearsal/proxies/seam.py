"""What a rehearsal asks of a proxy: everything that differs from one to the next is behind this protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lbcheck.model import Config, Frontend, Pool, Route, Server
    from lbcheck.rehearsal.load import Ask
    from lbcheck.rehearsal.outcome import Message
    from lbcheck.rehearsal.prepared import Prepared
    from lbcheck.rehearsal.rewriting import Rewriting
    from lbcheck.rehearsal.samples import Sample

    #: From a request to the place in `Pool.servers` of the server that gets it; None where that is not known.
    Pick = Callable[[Ask], int | None]


class NotRunnableError(Exception):
    """What was found is not the proxy itself; the text is one line that says what to do."""


class Writer(Protocol):
    """Writes a config anew where there are no namespaces."""

    def rewrite(self, config: Config, made: Rewriting) -> None:
        """Write what is known to be safe of a config. Raises OSError where there is no place left."""

    def commands(self, binary: str, made: Rewriting) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the command lines that check the new config and that run it."""


class Adapter(Protocol):
    """One proxy; a module of this shape is one.

    `PROGRAM` is its executable, `INSTALL` the command that installs it. `TELLS` is where it says which servers it takes
    for down (`witness.of`). `SILENCE`: where it does not say, nothing going to a server shows that. `ROUNDED` are the
    ordered algorithms whose weights are rounded, so that a pick is elsewhere now and then; `RESHUFFLED` those in
    which servers that are due at once come in another order each time. `WRITER` is None where it cannot be rehearsed
    without namespaces. `LAG` is how many seconds after it has noticed a loss it may act on it, `SETTLE` how many after
    it listens it may know its routes.
    """

    PROGRAM: str
    INSTALL: str
    TELLS: str
    SILENCE: bool
    ROUNDED: frozenset[str]
    RESHUFFLED: frozenset[str]
    WRITER: Writer | None
    LAG: float
    SETTLE: float

    def executable(self, path: str) -> str:
        """Return the program that is run for what was found at a path. Raises NotRunnableError."""

    def takes(self, config: Config) -> bool:
        """Say whether a config is one that the proxy is started with."""

    def prepare(self, config: Config, binary: str, *, trusted: bool = False, home: str | None = None) -> Prepared:
        """Return a config made ready, at its own place or in the folder `home`. `trusted`: its code may run."""

    def messages(self, output: str, prepared: Prepared) -> tuple[Message, ...]:
        """Return what its own check says, with places in the user's files."""

    def unfit(self, pool: Pool, leading: Sequence[tuple[Frontend, Route]]) -> str | None:
        """Return why the pool, to which these routes lead, cannot be rehearsed; None where it can."""

    def draws(self, config: Config, route: Route) -> bool:
        """Say whether a route of several pools takes one of them anew for each request."""

    def varied(self, pool: Pool, sample: Sample) -> str:
        """Return what has to differ from request to request for the pool's key to differ (`Load.vary`)."""

    def ordered(self, pool: Pool, lost: Collection[int] = ()) -> bool:
        """Say whether servers are taken in an order that gives each its share exactly over whole cycles."""

    def picker(self, pool: Pool, lost: Collection[int] = ()) -> Pick | None:
        """Return the function from a request to its server; None where the pool does not hash."""

    def called(self, pool: Pool, server: Server, address: str) -> str:
        """Return what it calls a server, at this address of the sandbox, that is down; "" where it never says."""

    def alone(self, run: Sequence[str], pool: Pool) -> tuple[str, ...]:
        """Return the command line for a loss in this pool, of which nothing else is looked at."""

    def turn(self, run: Sequence[str]) -> tuple[tuple[str, ...], int] | str:
        """Return the command line that can be told to reload, and the signal for it; or why there is none."""
