"""What a rehearsal asks of a proxy: everything that differs from one to the next stands in one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from lbcheck.model import Config, Frontend, Pool, Route, Server
    from lbcheck.rehearsal.outcome import Message
    from lbcheck.rehearsal.play.load import Ask
    from lbcheck.rehearsal.preparing.prepared import Prepared
    from lbcheck.rehearsal.preparing.rewriting import Rewriting
    from lbcheck.rehearsal.preparing.samples import Sample
    from lbcheck.text import Span

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


class Preparing(Protocol):
    """Makes a config ready for the sandbox."""

    def __call__(self, config: Config, binary: str, *, trusted: bool = False, home: str | None = None) -> Prepared:
        """Return it ready, at its own place or in the folder `home`. `trusted`: its code may run."""


class Ordering(Protocol):
    """Tells algorithms that follow an order from the others."""

    def __call__(self, pool: Pool, lost: Collection[int] = ()) -> bool:
        """Say whether servers are taken in an order that gives each its share exactly over whole cycles."""


class Picking(Protocol):
    """Knows where a pool sends each request."""

    def __call__(self, pool: Pool, lost: Collection[int] = ()) -> Pick | None:
        """Return the function from a request to its server; None where the pool does not hash."""


def _as_found(path: str) -> str:
    return path


def _every(_: Config) -> bool:
    return True


def _never(_config: Config, _route: Route) -> bool:
    return False


def _untold(_pool: Pool, _server: Server, _address: str) -> str:
    return ""


def _unaltered(_config: Config, _pool: Pool, _frontends: Collection[str]) -> Iterator[Span]:
    return iter(())


def _unmapped(_config: Config, _name: str, _sample: Sample) -> Iterator[Sample]:
    return iter(())


def _whatever(_: Pool) -> bool:
    return False


def _as_it_is(run: Sequence[str], _: Pool) -> tuple[str, ...]:
    return tuple(run)


class Adapter(NamedTuple):
    """One proxy: its `program`, the command that `install`s it, and what is asked of it.

    `messages` reads what its own check says, with places in the user's files. `unfit` says why a pool, to which these
    routes lead, cannot be rehearsed, None where it can. `varied` is what has to differ from request to request for the
    pool's key to differ (`Load.vary`). `turn` gives the command line that can be told to reload, and the signal for it;
    or why there is none.
    """

    program: str
    install: str
    prepare: Preparing
    messages: Callable[[str, Prepared], tuple[Message, ...]]
    unfit: Callable[[Pool, Sequence[tuple[Frontend, Route]]], str | None]
    varied: Callable[[Pool, Sample], str]
    ordered: Ordering
    picker: Picking
    turn: Callable[[Sequence[str]], tuple[tuple[str, ...], int] | str]
    #: The program that is run for what was found at a path. Raises NotRunnableError.
    executable: Callable[[str], str] = _as_found
    #: Whether a config is one that the proxy is started with.
    takes: Callable[[Config], bool] = _every
    #: Whether a route of several pools takes one of them anew for each request; else a hash or a variable chooses.
    draws: Callable[[Config, Route], bool] = _never
    #: What may change a pool's key on the way of requests through frontends of these names.
    altered: Callable[[Config, Pool, Collection[str]], Iterator[Span]] = _unaltered
    #: Requests like a sample for which a value that names pools names this one.
    mapped: Callable[[Config, str, Sample], Iterator[Sample]] = _unmapped
    #: Whether the pool's algorithm looks at how many requests each server is working on.
    by_load: Callable[[Pool], bool] = _whatever
    #: What it calls a server, at this address of the sandbox, that is down; "" where it never says.
    called: Callable[[Pool, Server, str], str] = _untold
    #: The command line for a loss in this pool, of which nothing else is looked at.
    alone: Callable[[Sequence[str], Pool], tuple[str, ...]] = _as_it_is
    #: Where it says which servers it takes for down (`witness.of`).
    tells: str = ""
    #: Whether it tells which health checks have passed (`standing.standings`).
    stands: bool = False
    #: Where it does not say, whether nothing going to a server shows that.
    silence: bool = False
    #: Ordered algorithms whose weights are rounded, so that a pick is elsewhere now and then.
    rounded: frozenset[str] = frozenset()
    #: Ordered algorithms in which servers that are due at once come in another order each time.
    reshuffled: frozenset[str] = frozenset()
    #: The status with which it answers where it has no server to turn to.
    without_server: int = 503
    #: What rewrites its configs where there are no namespaces; None where that cannot be.
    writer: Writer | None = None
    #: How many seconds after it has noticed a loss it may act on it; after it listens, it may know its routes.
    lag: float = 0.0
    settle: float = 0.0
