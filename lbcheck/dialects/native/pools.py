"""Pools and servers of the native format, as the model sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.native import fields as f
from lbcheck.dialects.native import values
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode
from lbcheck.findings import Hit, Related
from lbcheck.model import BACKUP, PRIMARY, Algorithm, HealthCheck, Persistence, Pool, Retry, Server, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.native.fields import Fields
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.model import Config, Duration
    from lbcheck.text import Span

POOL_TIMEOUTS = {"connect": "connect", "server": "server", "queue": "queue", "tunnel": "tunnel"}
_ONE = Setting(1)


class Common:
    """What a pool says for all of its servers."""

    __slots__ = ("check", "check_fields", "checked", "passive")

    def __init__(self, fields: Fields, noted: list[Duration]) -> None:
        self.check_fields = f.of(fields["health_check"][1]) if "health_check" in fields else {}
        self.checked = _switched(fields) or Setting(False)
        self.check = _health_check(fields, self.check_fields, noted) if self.checked.value else None
        inside = f.of(fields["passive_check"][1]) if "passive_check" in fields else {}
        self.passive = (f.integer(inside, "failures"), f.seconds(inside, "time", noted)) if inside else None


def pool(node: MappingNode, fields: Fields, config: Config) -> Pool | None:
    """Return the pool of a mapping; None where it has no name."""
    name = f.text(fields, "name")
    if name is None:
        return None
    noted = config.durations
    common = Common(fields, noted)
    names: dict[str, Span] = {}
    servers = [
        made for item in f.items(fields, "servers") if (made := _server(item, common, config, names)) is not None
    ]
    options = {key: setting for key in ("demand",) if (setting := f.number(fields, key)) is not None}
    return Pool(
        name.value,
        name.span or node.span,
        servers,
        _algorithm(fields),
        protocol=_word(fields, "protocol", "http"),
        open=_open(node, fields, servers),
        check=common.check,
        persistence=_persistence(fields),
        retry=retry(fields),
        timeouts=f.timeouts(fields, POOL_TIMEOUTS, noted),
        max_queue=f.integer(fields, "max_queue"),
        options=options,
    )


def _open(node: MappingNode, fields: Fields, servers: list[Server]) -> str | None:
    """Say why the members or their weights are not all known."""
    if values.STATEMENT.search(node.source.text, node.start, node.end):
        return "a template decides its members"
    if "servers" in fields and len(servers) < len(f.items(fields, "servers")):
        return "not all of its servers could be read"
    return next((f"the weight of {one.name} is a template" for one in servers if "opaque weight" in one.options), None)


def _word(fields: Fields, name: str, default: str) -> str:
    setting = f.text(fields, name)
    return default if setting is None else setting.value


def _algorithm(fields: Fields) -> Algorithm:
    written = f.text(fields, "algorithm")
    name = "round_robin" if written is None else written.value
    consistent = name == "hash_consistent"
    span = None if written is None else written.span
    return Algorithm(name, span, key=f.text(fields, "key"), consistent=consistent)


def _persistence(fields: Fields) -> Persistence | None:
    pair = fields.get("persistence")
    inside = f.of(pair[1]) if pair is not None else {}
    kind, name = f.text(inside, "type"), f.text(inside, "name")
    if pair is None or kind is None:
        return None
    span = f.place(pair)
    if kind.value == "source":
        return Persistence("stick-table", span)
    return Persistence("cookie", span, None if name is None else name.value, "insert")


def retry(fields: Fields) -> Retry | None:
    """Return what `retry` says; None where nothing is said."""
    pair = fields.get("retry")
    if pair is None or not isinstance(pair[1], MappingNode):
        return None
    inside = pair[1].fields()
    conditions = f.texts(inside.get("when"))
    return Retry(
        f.integer(inside, "attempts"),
        f.boolean(inside, "other_server") or Setting(True),
        Setting(frozenset(conditions), f.place(inside["when"])) if conditions else None,
    )


def _switched(fields: Fields) -> Setting[bool] | None:
    """Return whether a health check is on; None where `health_check` is not written."""
    pair = fields.get("health_check")
    if pair is None:
        return None
    if isinstance(pair[1], MappingNode):
        return Setting(True, pair[0].span)
    return f.boolean(fields, "health_check")


def _health_check(fields: Fields, inside: Fields, noted: list[Duration]) -> HealthCheck:
    kind = _word(inside, "type", "tcp")
    options: dict[str, Setting[Any]] = {"tls": Setting(True)} if kind == "https" else {}
    return HealthCheck(
        "http" if kind == "https" else kind,
        f.place(fields["health_check"]),
        interval=f.seconds(inside, "interval", noted),
        timeout=f.seconds(inside, "timeout", noted),
        fall=f.integer(inside, "fall"),
        rise=f.integer(inside, "rise"),
        fast_interval=f.seconds(inside, "fast_interval", noted),
        down_interval=f.seconds(inside, "down_interval", noted),
        port=f.integer(inside, "port"),
        address=f.text(inside, "address"),
        method=f.text(inside, "method"),
        path=f.text(inside, "path"),
        host=f.text(inside, "host"),
        expect=f.text(inside, "expect"),
        options=options,
    )


def _server(node: Node, common: Common, config: Config, names: dict[str, Span]) -> Server | None:
    """Return the server of a list item: an address, or a mapping with one."""
    if isinstance(node, ScalarNode):
        written: Setting[str] | None = Setting(node.text, node.span) if node.text else None
        fields: Fields = {}
    else:
        fields = f.of(node)
        written = f.text(fields, "address")
    if written is None:
        return None
    address = values.address(written.value)
    if address is None:
        problem = f"{written.value[:60]} is no address of a server"
        advice = "write host:port, [address]:port or unix:/path"
        config.hits.append(Hit("E09", written.span or node.span, {"problem": problem, "advice": advice}))
        return None
    check, checked = common.check, common.checked
    if "health_check" in fields:
        check, checked = _own_check(fields, common, config.durations)
    name = _named(fields, names, config)
    state = f.text(fields, "state")
    failures, time = common.passive or (None, None)
    weight, options = _weight(fields)
    if state is not None:
        options["state"] = state
    limit = f.integer(fields, "max_connections")
    if limit is None and "max_connections" in fields:
        options["opaque limit"] = Setting(True, f.place(fields["max_connections"]))
    return Server(
        name or written.value,
        address,
        node.span,
        weight,
        BACKUP if _word(fields, "role", PRIMARY) == BACKUP else PRIMARY,
        disabled=Setting(True, state.span) if state is not None and state.value in ("down", "drain") else None,
        check=check,
        checked=checked,
        passive=common.passive is not None and (failures is None or failures.value > 0),
        max_conns=limit,
        max_fails=failures,
        fail_timeout=time,
        slow_start=f.seconds(fields, "slow_start", config.durations),
        cookie=f.text(fields, "cookie"),
        tls=f.boolean(fields, "tls"),
        zone=f.text(fields, "zone"),
        capacity=f.number(fields, "capacity"),
        options=options,
    )


def _weight(fields: Fields) -> tuple[Setting[int], dict[str, Setting[Any]]]:
    """Return the weight, and as an option that it is not known where a template has yet to write it."""
    weight = f.integer(fields, "weight")
    if weight is not None or "weight" not in fields:
        return weight or _ONE, {}
    span = f.place(fields["weight"])
    return Setting(1, span), {"opaque weight": Setting(True, span)}


def _own_check(fields: Fields, common: Common, noted: list[Duration]) -> tuple[HealthCheck | None, Setting[bool]]:
    """Return a server's own check: what it says, and the pool's for what it leaves out."""
    checked = _switched(fields) or common.checked
    if not checked.value:
        return None, checked
    own = f.of(fields["health_check"][1])
    return _health_check(fields, {**common.check_fields, **own}, noted if own else []), checked


def _named(fields: Fields, names: dict[str, Span], config: Config) -> str | None:
    """Return the name that a server is given; one that is taken already is a finding."""
    name = f.text(fields, "name")
    if name is None or name.span is None:
        return None
    first = names.setdefault(name.value, name.span)
    if first != name.span:
        duplicate(config, "server", name.value, first, name.span)
    return name.value


def duplicate(config: Config, what: str, name: str, first: Span, second: Span) -> None:
    """Report a name that stands for two things."""
    args = {"problem": f"there is another {what} {name}", "advice": "give each its own name"}
    config.hits.append(Hit("E10", second, args, related=[Related(first, "the first one is here")]))
