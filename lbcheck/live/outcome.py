"""What probing found, as flat data for the reporters. Texts may hold what servers said: reporters escape them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lbcheck.results import Note

#: A server's state: its proxy would use it; would not, or in vain; it answers, but not all of its check could be tried;
#: it was not tried; it would be tried (`--dry-run`).
UP, DOWN, UNKNOWN, NOT_PROBED, PLANNED = "up", "down", "unknown", "not_probed", "planned"
STATES = (UP, DOWN, UNKNOWN, NOT_PROBED, PLANNED)
#: How far a probe came: the stage that failed, or the last one.
DNS, TCP, TLS, CHECK = "dns", "tcp", "tls", "check"
STAGES = (DNS, TCP, TLS, CHECK)


class Certificate(NamedTuple):
    """A server's certificate: whose it is, who signed it, until when (ISO 8601, UTC), and for how many whole days more.

    `days` is below 0 once it has expired. `verified`: the proxy finds it right; None where it does not look.
    """

    names: tuple[str, ...]
    issuer: str
    expires: str
    days: int
    verified: bool | None = None


class Verdict(NamedTuple):
    """What came of one address. `status` is that of an HTTP answer, `seconds` how long all of it took.

    `warnings` are what the proxy lets pass today.
    """

    state: str
    stage: str | None = None
    reason: str | None = None
    advice: str | None = None
    connected_to: str | None = None
    seconds: float | None = None
    status: int | None = None
    certificate: Certificate | None = None
    warnings: tuple[str, ...] = ()


class ProbedServer(NamedTuple):
    """One server of a pool; a name with several addresses may be several. `asked` says in words what it was asked."""

    name: str
    address: str
    role: str
    line: int
    asked: str | None
    verdict: Verdict


class ProbedPool(NamedTuple):
    """One pool with its servers. `open` says why more servers may belong to it."""

    config: str
    dialect: str
    name: str
    path: str
    line: int
    open: str | None
    servers: tuple[ProbedServer, ...]


class Probes:
    """A whole run. `broken` are the configs that their proxy would not load, which are not probed."""

    __slots__ = ("broken", "dry_run", "not_checked", "pools")

    def __init__(self, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self.pools: list[ProbedPool] = []
        self.broken: list[str] = []
        self.not_checked: list[Note] = []

    def count(self, state: str) -> int:
        """Return how many servers are in a state."""
        return sum(server.verdict.state == state for pool in self.pools for server in pool.servers)
