"""The one model that every dialect is turned into, in the words of the field.

Rules for everybody who fills or reads it:

* `Setting(value, span)` is a value and where it is written; span None means that it is the dialect's default.
* A field that is None is not expressible in the dialect or not known, and checks stay silent on it.
* Inheritance is resolved before: a server's `weight` is its effective weight, wherever it was written.
* Times are seconds, sizes are bytes, shares are fractions.
* Objects are made once, by a dialect's lowering, and not changed afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lbcheck.findings import Hit, NotChecked
    from lbcheck.text import Source, Span
    from lbcheck.world import World

T = TypeVar("T")


class Setting(Generic[T]):
    """A value and the place where it is written (None: the dialect's default)."""

    __slots__ = ("span", "value")

    def __init__(self, value: T, span: Span | None = None) -> None:
        self.value = value
        self.span = span

    @property
    def written(self) -> bool:
        """Whether somebody wrote the value, here or where it is inherited from."""
        return self.span is not None

    def __repr__(self) -> str:
        return f"Setting({self.value!r}{'' if self.span else ', default'})"


class Address:
    """Where a server listens or a listener binds.

    `text` is what the config says. `kind` is "ipv4", "ipv6", "name", "unix" (host is the path) or "opaque"
    (a variable, a template, an environment variable: host and port are what could be read, or None). `port` is
    the effective port, the dialect's default included; None where it is not known or there is none. For a
    listener, host "" is the wildcard.
    """

    __slots__ = ("host", "kind", "port", "text")

    def __init__(self, text: str, kind: str, host: str | None, port: int | None) -> None:
        self.text = text
        self.kind = kind
        self.host = host
        self.port = port

    @property
    def key(self) -> tuple[str, str | None, int | None]:
        """What makes two addresses the same one: kind, host without regard to case, port."""
        host = self.host
        if host is not None and self.kind != "unix":
            host = host.lower()
        return (self.kind, host, self.port)

    @property
    def known(self) -> bool:
        """Whether host and port are plain values."""
        return self.kind != "opaque" and self.host is not None

    @property
    def loopback(self) -> bool:
        """Whether it never leaves this machine."""
        host = self.host or ""
        return self.kind == "unix" or host.startswith("127.") or host in ("::1", "localhost")

    def __repr__(self) -> str:
        return f"Address({self.text!r})"


class HealthCheck:
    """How a proxy finds out that a server is dead, after inheritance.

    `kind`: "tcp", "http", "tls", "agent" or the protocol's own name ("mysql", "redis", …). `interval`, `timeout`,
    `fast_interval`, `down_interval` are seconds; `fall` and `rise` are counts of checks in a row. `port` and
    `address` are set where the check goes elsewhere than the traffic. `options` holds the dialect's own.
    """

    __slots__ = (
        "address",
        "down_interval",
        "expect",
        "fall",
        "fast_interval",
        "host",
        "interval",
        "kind",
        "method",
        "options",
        "path",
        "port",
        "rise",
        "span",
        "timeout",
    )

    def __init__(
        self,
        kind: str,
        span: Span | None,
        *,
        interval: Setting[float] | None = None,
        timeout: Setting[float] | None = None,
        fall: Setting[int] | None = None,
        rise: Setting[int] | None = None,
        fast_interval: Setting[float] | None = None,
        down_interval: Setting[float] | None = None,
        port: Setting[int] | None = None,
        address: Setting[str] | None = None,
        method: Setting[str] | None = None,
        path: Setting[str] | None = None,
        host: Setting[str] | None = None,
        expect: Setting[str] | None = None,
        options: Mapping[str, Setting[Any]] | None = None,
    ) -> None:
        self.kind = kind
        self.span = span
        self.interval = interval
        self.timeout = timeout
        self.fall = fall
        self.rise = rise
        self.fast_interval = fast_interval
        self.down_interval = down_interval
        self.port = port
        self.address = address
        self.method = method
        self.path = path
        self.host = host
        self.expect = expect
        self.options = options or {}

    @property
    def likeness(self) -> object:
        """Something that is equal for two checks of one pool only where they do the same."""
        settings = (self.interval, self.fast_interval, self.timeout, self.fall, self.port, self.address)
        return (self.kind, *[None if setting is None else setting.value for setting in settings])

    @property
    def talks(self) -> bool:
        """Whether a probe says or hears something once it is connected."""
        return self.kind != "tcp" or self.expect is not None or "send" in self.options


#: The dialects that make a server of each address of a host name (nginx: ngx_http_upstream_init_round_robin());
#: HAProxy keeps the first one, and so does an Envoy cluster of type LOGICAL_DNS.
ONE_SERVER_EACH = frozenset({"nginx", "envoy"})
#: A server's role.
PRIMARY = "primary"
BACKUP = "backup"


class Server:
    """One member of a pool.

    `name` is what the config calls it (nginx and native: the address as written). `disabled` is set where the
    server is out of rotation by config (`down`, `disabled`, drained). `checked`: does an active health check (or
    `track`) watch it; None where the dialect cannot say (nginx open source). `passive`: can real traffic's
    failures take it out. `max_fails` 0 means never. `count` is how many alike servers the line stands for
    (`server-template`, or a host name with so many addresses: `addresses`, None where nobody says). `priority` is the
    level on which it serves where a dialect has several (Envoy): 0 the first, the others are backups of those before
    them. `options` holds everything else by the dialect's own keyword, and "opaque limit" where a template or a
    variable has yet to say what `max_conns` is.
    """

    __slots__ = (
        "address",
        "addresses",
        "capacity",
        "check",
        "checked",
        "cookie",
        "count",
        "disabled",
        "fail_timeout",
        "max_conns",
        "max_fails",
        "name",
        "options",
        "passive",
        "priority",
        "resolve",
        "role",
        "slow_start",
        "span",
        "tls",
        "tracks",
        "weight",
        "zone",
    )

    def __init__(
        self,
        name: str,
        address: Address,
        span: Span,
        weight: Setting[int],
        role: str = PRIMARY,
        *,
        disabled: Setting[bool] | None = None,
        check: HealthCheck | None = None,
        checked: Setting[bool] | None = None,
        passive: bool | None = None,
        max_conns: Setting[int] | None = None,
        max_fails: Setting[int] | None = None,
        fail_timeout: Setting[float] | None = None,
        slow_start: Setting[float] | None = None,
        cookie: Setting[str] | None = None,
        tls: Setting[bool] | None = None,
        resolve: Setting[bool] | None = None,
        tracks: Setting[str] | None = None,
        zone: Setting[str] | None = None,
        capacity: Setting[float] | None = None,
        priority: Setting[int] | None = None,
        count: int = 1,
        options: Mapping[str, Setting[Any]] | None = None,
    ) -> None:
        self.name = name
        self.address = address
        self.span = span
        self.weight = weight
        self.role = role
        self.disabled = disabled
        self.check = check
        self.checked = checked
        self.passive = passive
        self.max_conns = max_conns
        self.max_fails = max_fails
        self.fail_timeout = fail_timeout
        self.slow_start = slow_start
        self.cookie = cookie
        self.tls = tls
        self.resolve = resolve
        self.tracks = tracks
        self.zone = zone
        self.capacity = capacity
        self.priority = priority
        self.count = count
        self.addresses: int | None = None
        self.options = options or {}

    @property
    def backup(self) -> bool:
        """Whether it serves only when primaries do not."""
        return self.role == BACKUP

    @property
    def enabled(self) -> bool:
        """Whether the config leaves it in rotation."""
        return self.disabled is None or not self.disabled.value

    @property
    def probed(self) -> bool:
        """Whether something besides the traffic can tell that it is dead: a check, `track`, or an agent."""
        return (self.checked is not None and self.checked.value) or "agent-check" in self.options

    @property
    def watched(self) -> bool:
        """Whether anything can take it out: probes, or the failures of real requests."""
        return self.probed or bool(self.passive)

    @property
    def serving(self) -> bool:
        """Whether it takes new requests in normal operation: an enabled primary with a weight above zero."""
        return self.role == PRIMARY and self.enabled and self.weight.value > 0

    def __repr__(self) -> str:
        return f"Server({self.name!r})"


class Algorithm:
    """How a pool chooses a server.

    `name` is the dialect's own: nginx "round_robin", "least_conn", "least_time", "random", "random_two",
    "ip_hash", "hash", "hash_consistent"; HAProxy "roundrobin", "static-rr", "leastconn", "first", "random",
    "source", "uri", "url_param", "hdr", "hash", "rdp-cookie", "sticky"; Envoy "round_robin", "least_request", "random",
    "ring_hash", "maglev", "cluster_provided", "client_side_weighted_round_robin", "opaque"; Traefik "wrr", "p2c",
    "hrw", "leasttime"; ingress-nginx "chash", "chashsubset", "ewma", "sticky_balanced", "sticky_persistent"; native
    "round_robin", "least_connections", "random", "hash", "hash_consistent". `key` is what is hashed, as written.
    `consistent`, `function` ("sdbm", "djb2", "wt6", "crc32", "none") and `avalanche` are HAProxy's
    hash-type after its defaults; `draws` is random's.
    """

    __slots__ = ("avalanche", "balance_factor", "consistent", "draws", "function", "key", "name", "options", "span")

    def __init__(
        self,
        name: str,
        span: Span | None = None,
        *,
        key: Setting[str] | None = None,
        consistent: bool = False,
        function: str | None = None,
        avalanche: bool = False,
        draws: int = 2,
        balance_factor: Setting[int] | None = None,
        options: Mapping[str, Setting[Any]] | None = None,
    ) -> None:
        self.name = name
        self.span = span
        self.key = key
        self.consistent = consistent
        self.function = function
        self.avalanche = avalanche
        self.draws = draws
        self.balance_factor = balance_factor
        self.options = options or {}

    def __repr__(self) -> str:
        return f"Algorithm({self.name!r})"


class Persistence:
    """What keeps a client on its server: `kind` "cookie" (`mode` insert, prefix, …), "stick-table" or "route"."""

    __slots__ = ("dynamic", "kind", "mode", "name", "span")

    def __init__(
        self, kind: str, span: Span, name: str | None = None, mode: str | None = None, *, dynamic: bool = False
    ) -> None:
        self.kind = kind
        self.span = span
        self.name = name
        self.mode = mode
        self.dynamic = dynamic


class Retry:
    """What happens to a request whose server fails.

    `attempts`: servers or tries beyond the first, None unknown; `redispatch`: may the next try go to another server;
    `conditions`: when (nginx proxy_next_upstream's words, HAProxy retry-on's).
    """

    __slots__ = ("attempts", "conditions", "redispatch")

    def __init__(
        self,
        attempts: Setting[int] | None = None,
        redispatch: Setting[bool] | None = None,
        conditions: Setting[frozenset[str]] | None = None,
    ) -> None:
        self.attempts = attempts
        self.redispatch = redispatch
        self.conditions = conditions


class Pool:
    """A group of servers among which an algorithm chooses.

    `scope` separates name spaces (nginx "http" and "stream"); `span` is where it is named. `open` says why its
    members are not all known (None: they are): count and share rules stay silent on an open pool. `answers` means
    that requests end before a server is needed (HAProxy `http-request return`, stats, redirect), so having none is
    no defect. `implicit` is a pool nobody named (nginx `proxy_pass http://10.0.0.1:8080`). `state` is shared memory
    (nginx `zone`). `unsure` names a line of it that was not understood (None: there is none): what is computed holds
    if that line does not matter. `deserted` says why surely nobody is behind it, though it is open (`Config.settle`).
    `options` holds everything else by the dialect's own keyword.
    """

    __slots__ = (
        "_backups",
        "_enabled",
        "_primaries",
        "_serving",
        "algorithm",
        "answers",
        "check",
        "deserted",
        "implicit",
        "max_queue",
        "name",
        "open",
        "options",
        "persistence",
        "protocol",
        "retry",
        "scope",
        "servers",
        "span",
        "state",
        "timeouts",
        "unsure",
    )

    def __init__(
        self,
        name: str,
        span: Span,
        servers: Sequence[Server],
        algorithm: Algorithm,
        *,
        scope: str = "",
        protocol: str = "http",
        open: str | None = None,  # noqa: A002 - the design's word
        answers: bool = False,
        implicit: bool = False,
        check: HealthCheck | None = None,
        persistence: Persistence | None = None,
        retry: Retry | None = None,
        timeouts: Mapping[str, Setting[float]] | None = None,
        state: Setting[str] | None = None,
        max_queue: Setting[int] | None = None,
        unsure: str | None = None,
        options: Mapping[str, Setting[Any]] | None = None,
    ) -> None:
        self.name = name
        self.span = span
        self.servers = servers
        self.algorithm = algorithm
        self.scope = scope
        self.protocol = protocol
        self.open = open
        self.answers = answers
        self.implicit = implicit
        self.check = check
        self.persistence = persistence
        self.retry = retry
        self.timeouts = timeouts or {}
        self.state = state
        self.max_queue = max_queue
        self.unsure = unsure
        self.deserted: str | None = None
        self.options = options or {}
        self._enabled: list[Server] | None = None
        self._primaries: list[Server] | None = None
        self._backups: list[Server] | None = None
        self._serving: list[Server] | None = None

    @property
    def enabled(self) -> list[Server]:
        """The servers that the config leaves in rotation."""
        if self._enabled is None:
            self._enabled = [server for server in self.servers if server.enabled]
        return self._enabled

    @property
    def primaries(self) -> list[Server]:
        """The servers that are not backups, disabled ones included."""
        if self._primaries is None:
            self._primaries = [server for server in self.servers if server.role == PRIMARY]
        return self._primaries

    @property
    def backups(self) -> list[Server]:
        """The servers that serve only when the primaries do not."""
        if self._backups is None:
            self._backups = [server for server in self.servers if server.role == BACKUP]
        return self._backups

    @property
    def serving(self) -> list[Server]:
        """The servers that take new requests in normal operation."""
        if self._serving is None:
            self._serving = [server for server in self.servers if server.serving]
        return self._serving

    def __repr__(self) -> str:
        return f"Pool({self.name!r})"


def one_server_each(pool: Pool, dialect: str) -> bool:
    """Say whether each address of a host name is a server of its own in this pool."""
    discovery = pool.options.get("discovery")
    return dialect in ONE_SERVER_EACH and (discovery is None or discovery.value != "LOGICAL_DNS")


class Condition:
    """One test of a request: `field` op `values`, true if any value matches.

    `field`: "path", "host", "method", "source", "sni", "scheme", "header:NAME", "query:NAME", or "opaque" for what
    is not understood (values then hold its canonical text). `op`: "exact", "prefix", "path_prefix" (whole path
    elements: /a matches /a/b, not /ab), "suffix", "contains", "regex", "exists". `strength` is nginx's precedence
    word for a location: "=", "^~", "~", "~*" or "".
    """

    __slots__ = ("field", "ignore_case", "negated", "op", "strength", "values")

    def __init__(
        self,
        field: str,
        op: str,
        values: Iterable[str],
        *,
        negated: bool = False,
        ignore_case: bool = False,
        strength: str = "",
    ) -> None:
        self.field = field
        self.op = op
        self.values = frozenset(values)
        self.negated = negated
        self.ignore_case = ignore_case
        self.strength = strength

    @property
    def key(self) -> tuple[str, str, frozenset[str], bool, bool, str]:
        """What makes two conditions the same one."""
        return (self.field, self.op, self.values, self.negated, self.ignore_case, self.strength)

    def __repr__(self) -> str:
        return f"Condition({'not ' if self.negated else ''}{self.field} {self.op} {sorted(self.values)})"


#: A request matches if all conditions of one alternative hold; `((),)` matches every request, `()` none.
Match = tuple[tuple[Condition, ...], ...]
EVERY_REQUEST: Match = ((),)


class Unserved(NamedTuple):
    """Why nobody serves what a target gets, whatever is behind its pool. `sure` False: perhaps somebody does.

    `redealt`: what one of the route's targets would not serve the others get, so that no share of them is known.
    """

    reason: str
    sure: bool
    redealt: bool = False


class WeightedTarget:
    """One pool that a route sends to. `pool` is None where no pool of that name is known.

    `unserved` is filled in by `Config.settle`.
    """

    __slots__ = ("name", "pool", "share", "span", "unserved", "weight")

    def __init__(
        self,
        name: str,
        span: Span,
        pool: Pool | None = None,
        weight: Setting[int] | None = None,
        share: float | None = None,
    ) -> None:
        self.name = name
        self.span = span
        self.pool = pool
        self.weight = weight
        self.share = share
        self.unserved: Unserved | None = None


class Route:
    """Requests that match go to one of the targets.

    `outcome`: "pools", "answer" (redirect, return, deny: no pool needed) or "unknown" (a dynamic expression that
    could not be resolved; `expression` holds its text). A route may have targets and still be "unknown" when only
    some of its values are known. `label` is how people name it. `retry`, `timeouts` and `options` are what holds
    for requests through this route, after inheritance; of `options`, "filters" are those on its way that may answer
    some requests themselves, nobody knows which: alike for two routes where they do the same.
    """

    __slots__ = ("expression", "label", "match", "options", "outcome", "retry", "span", "targets", "timeouts")

    def __init__(
        self,
        label: str,
        span: Span,
        match: Match,
        targets: Sequence[WeightedTarget] = (),
        outcome: str = "pools",
        *,
        expression: str | None = None,
        retry: Retry | None = None,
        timeouts: Mapping[str, Setting[float]] | None = None,
        options: Mapping[str, Setting[Any]] | None = None,
    ) -> None:
        self.label = label
        self.span = span
        self.match = match
        self.targets = targets
        self.outcome = outcome
        self.expression = expression
        self.retry = retry
        self.timeouts = timeouts or {}
        self.options = options or {}

    def __repr__(self) -> str:
        return f"Route({self.label!r})"


class Listener:
    """An address on which requests arrive. `transport`: "tcp" or "udp"; `options` holds reuseport, interface, … ."""

    __slots__ = ("address", "options", "port_end", "span", "tls", "transport")

    def __init__(
        self,
        address: Address,
        span: Span,
        *,
        transport: str = "tcp",
        tls: bool = False,
        port_end: int | None = None,
        options: Mapping[str, Setting[Any]] | None = None,
    ) -> None:
        self.address = address
        self.span = span
        self.transport = transport
        self.tls = tls
        self.port_end = port_end
        self.options = options or {}


class Frontend:
    """Where requests arrive and how they find a pool.

    `order` says which route wins: "first" (in order of writing) or "nginx" (exact, ^~, regex in order, longest
    prefix). `hosts` are the server names it answers for; empty means all. `branch` marks configs of which only one
    alternative exists at run time (HAProxy `.if`): two frontends meet only if their branches are compatible.
    `options` holds "undefined pool", what a route to a pool that does not exist does, where that is not as usual,
    "server names", those in TLS of which one has to be asked for, whatever `hosts` are (Envoy's filter chains),
    "no connections" where none ever gets there, though it is configured, "reading", how requests are read before they
    are matched (Envoy: a host without its port, merged slashes), "entrance", a text of what else leads here (gateways),
    and "class", which controller serves it, "" where nobody says: where one of these changes, nobody knows which
    requests still come.
    """

    __slots__ = (
        "branch",
        "hosts",
        "listeners",
        "max_conns",
        "name",
        "options",
        "order",
        "protocol",
        "routes",
        "scope",
        "span",
        "timeouts",
    )

    def __init__(
        self,
        name: str,
        span: Span,
        listeners: Sequence[Listener],
        routes: Sequence[Route],
        *,
        protocol: str = "http",
        order: str = "first",
        scope: str = "",
        hosts: Sequence[str] = (),
        timeouts: Mapping[str, Setting[float]] | None = None,
        max_conns: Setting[int] | None = None,
        branch: tuple[tuple[int, int], ...] = (),
        options: Mapping[str, Setting[Any]] | None = None,
    ) -> None:
        self.name = name
        self.span = span
        self.listeners = listeners
        self.routes = routes
        self.protocol = protocol
        self.order = order
        self.scope = scope
        self.hosts = hosts
        self.timeouts = timeouts or {}
        self.max_conns = max_conns
        self.branch = branch
        self.options = options or {}

    def __repr__(self) -> str:
        return f"Frontend({self.name!r})"


class Duration:
    """A time as somebody wrote it, for the rule about forgotten units: `unit` is "" where none is written."""

    __slots__ = ("default_unit", "keyword", "seconds", "span", "text", "unit")

    def __init__(self, keyword: str, text: str, unit: str, default_unit: str, seconds: float, span: Span) -> None:
        self.keyword = keyword
        self.text = text
        self.unit = unit
        self.default_unit = default_unit
        self.seconds = seconds
        self.span = span


class Requirement:
    """A feature in use that not every version of the proxy has.

    `since` is the first version as a tuple, () where no open-source version has it; `edition` is "" or the
    commercial edition that has had it before ("NGINX Plus").
    """

    __slots__ = ("edition", "feature", "product", "since", "span")

    def __init__(self, product: str, feature: str, since: tuple[int, ...], span: Span, edition: str = "") -> None:
        self.product = product
        self.feature = feature
        self.since = since
        self.span = span
        self.edition = edition


class Admin:
    """A way to see or steer the proxy at run time.

    `kind`: "stats", "socket", "api", "status", "counters" (of connections, not of servers). `writable`: can it change
    something (True), only show (False).
    `protected`: by what it is guarded ("" nothing, "auth", "acl", "loopback", "unix", "tls"); None unknown.
    `published`: False where the proxy's container publishes no port that leads there, None where that is not known.
    `runtime`: can it override Envoy's runtime too.
    """

    __slots__ = ("address", "kind", "protected", "published", "runtime", "span", "writable")

    def __init__(
        self, kind: str, span: Span, address: Address | None, *, writable: bool, protected: str | None
    ) -> None:
        self.kind = kind
        self.span = span
        self.address = address
        self.writable = writable
        self.protected = protected
        self.published: bool | None = None
        self.runtime = False


def _no_peer() -> None:
    return None


def _nothing_to_settle() -> None:
    pass


def _no_subject(_span: Span) -> tuple[None, None]:
    return None, None


class Config:
    """One config: what one proxy process would load, however many files it is written in.

    `open` says why more belongs to it than was seen (None: it is whole): rules about missing or unused things stay
    silent in an open config. `hits` are the findings of reading (group E). `unmodelled` is what was not understood;
    `unread` says that this is all of it, so that nothing is checked.
    `used` names pools, as (scope, name), that something other than a route refers to (`track`, a tracer, …); the
    name "*" means that any pool of the scope may be. `tree` is the dialect's resolved tree, for its own checks.
    `blocks` gives the extent of every block, for suppressions on an opening line. `assumed` are files that an include
    of a server's path was taken to mean, by path, with the include as it is written. `world` is what the servers'
    names must exist in, and `home` the workload of it in which the proxy itself runs.
    `apart`: each object of the config stands alone, so that an error of reading concerns the one
    in which it is and the others are judged all the same (a Kubernetes API server refuses one object, not all).
    `subject` gives for a place the object it belongs to, as {"kind", "namespace", "name"}, and its JSON Pointer.
    `written_ignores` gives what silences findings besides comments: (text, reach), as in an annotation.
    `settle` fills in what depends on which scopes of the world are complete, once that is known:
    `WeightedTarget.unserved` and `Pool.deserted`. It may be called again.
    """

    __slots__ = (
        "admins",
        "apart",
        "assumed",
        "blocks",
        "dialect",
        "durations",
        "files",
        "frontends",
        "hits",
        "home",
        "open",
        "path",
        "peer",
        "pools",
        "requirements",
        "resolvers",
        "settle",
        "subject",
        "tree",
        "unmodelled",
        "unread",
        "used",
        "workers",
        "world",
        "written_ignores",
    )

    def __init__(self, dialect: str, path: str, files: Sequence[Source]) -> None:
        self.dialect = dialect
        self.path = path
        self.files = list(files)
        self.frontends: list[Frontend] = []
        self.pools: list[Pool] = []
        self.resolvers: dict[str, Span] = {}
        self.open: str | None = None
        self.hits: list[Hit] = []
        self.unmodelled: list[NotChecked] = []
        self.unread = False
        self.assumed: dict[str, str] = {}
        self.used: set[tuple[str, str]] = set()
        self.durations: list[Duration] = []
        self.requirements: list[Requirement] = []
        self.admins: list[Admin] = []
        #: How many processes keep their own balancing state; value None = several, number not known. None = not known.
        self.workers: Setting[int | None] | None = None
        self.tree: Any = None
        self.blocks: Callable[[], Iterable[Span]] = list
        self.world: World | None = None
        self.home: str | None = None
        self.peer: Callable[[], Config | None] = _no_peer
        self.apart = False
        self.settle: Callable[[], None] = _nothing_to_settle
        self.subject: Callable[[Span], tuple[dict[str, str] | None, str | None]] = _no_subject
        self.written_ignores: Callable[[], Iterable[tuple[Span, Span]]] = list

    def __repr__(self) -> str:
        return f"Config({self.dialect}, {self.path!r})"
