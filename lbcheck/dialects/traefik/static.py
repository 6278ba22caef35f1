"""The static configuration: entry points, and where routers and services come from (pkg/config/static)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik import values
from lbcheck.dialects.yaml_nodes import MappingNode
from lbcheck.findings import Hit
from lbcheck.model import Admin, Listener, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.traefik.document import Document
    from lbcheck.dialects.traefik.fields import Fields
    from lbcheck.model import Config
    from lbcheck.text import Span

#: The entry point that Traefik makes for its own API; no router comes to it by default.
INTERNAL = "traefik"
#: Providers that need no section of their own to be meant by a name behind `@`.
_BUILT_IN = frozenset({"internal"})
#: Keys of `providers` that are no provider.
_NO_PROVIDER = frozenset({"providersthrottleduration", "precedence"})


class EntryPoint(NamedTuple):
    """Where Traefik listens.

    `default`: routers that name no entry point come to it. `redirect`: it sends plain HTTP elsewhere, whatever the
    routers say. `tls`: its routers speak TLS although they do not say so.
    """

    name: str
    span: Span
    listener: Listener | None
    udp: bool
    default: bool
    redirect: Span | None
    tls: bool
    middlewares: tuple[str, ...]
    timeouts: dict[str, Setting[float]]


class Static:
    """What a static configuration says. Without one, nothing is known of entry points and providers."""

    __slots__ = ("directory", "document", "entry_points", "filename", "providers", "syntax")

    def __init__(self, document: Document | None) -> None:
        self.document = document
        self.entry_points: dict[str, EntryPoint] = {}
        self.providers: frozenset[str] = frozenset()
        self.directory: Setting[str] | None = None
        self.filename: Setting[str] | None = None
        #: The rule syntax of routers that name none.
        self.syntax = "v3"

    @property
    def known(self) -> bool:
        """Whether there is one."""
        return self.document is not None


def read(document: Document, config: Config) -> Static:
    """Return what a static file says, and add what is wrong with it to the config."""
    static = Static(document)
    fields = document.fields
    providers = f.inside(fields, "providers")
    static.providers = _BUILT_IN | {name for name in providers if name not in _NO_PROVIDER}
    file = f.of(providers["file"][1]) if "file" in providers else {}
    static.directory = f.text(file, "directory")
    static.filename = f.text(file, "filename")
    syntax = f.text(f.inside(fields, "core"), "defaultrulesyntax")
    if syntax is not None:
        static.syntax = syntax.value
    pair = fields.get("entrypoints")
    if pair is not None and isinstance(pair[1], MappingNode):
        for name, (key, node) in pair[1].fields().items():
            entry = _entry_point(name, key.span, f.of(node), config)
            static.entry_points[name] = entry
        _default(static)
    _admins(static, fields, config)
    return static


def _default(static: Static) -> None:
    """Leave `default` to those that are marked, where one is (cmd/traefik getDefaultsEntrypoints())."""
    entries = static.entry_points
    usable = {name for name, one in entries.items() if not one.udp and name != INTERNAL}
    marked = {name for name in usable if entries[name].default}
    for name, one in entries.items():
        entries[name] = one._replace(default=name in (marked or usable))


def _entry_point(name: str, span: Span, fields: Fields, config: Config) -> EntryPoint:
    written = f.text(fields, "address")
    listener, udp = None, False
    if written is not None and written.span is not None:
        place, _, protocol = written.value.partition("/")
        udp = protocol.lower() == "udp"
        address = values.endpoint(place, listener=True)
        if address is None or (address.known and address.port is None) or protocol.lower() not in ("", "tcp", "udp"):
            problem = f"{written.value[:60]} is no address to listen on"
            args = {"problem": problem, "advice": "write :80, host:port, [address]:port, with /udp behind it for UDP"}
            config.hits.append(Hit("E09", written.span, args))
        else:
            options = {"reuseport": reuse} if (reuse := f.boolean(fields, "reuseport")) and reuse.value else {}
            listener = Listener(address, written.span, transport="udp" if udp else "tcp", options=options)
    http = f.inside(fields, "http")
    redirect = f.inside(http, "redirections").get("entrypoint")
    default = f.boolean(fields, "asdefault")
    return EntryPoint(
        name,
        span,
        listener,
        udp,
        default is not None and default.value,
        redirect[0].span if redirect is not None and f.written(f.inside(http, "redirections"), "entrypoint") else None,
        f.switched(http, "tls"),
        tuple(node.text for node in f.texts(http, "middlewares")),
        _timeouts(fields, config),
    )


def _timeouts(fields: Fields, config: Config) -> dict[str, Setting[float]]:
    said = f.inside(fields, "transport", "respondingtimeouts")
    found = {"http-request": Setting(60.0), "http-keep-alive": Setting(180.0)}
    names = {"http-request": "readtimeout", "http-keep-alive": "idletimeout", "client": "writetimeout"}
    for name, word in names.items():
        setting = f.duration(said, word, config.durations, word)
        if setting is not None:
            found[name] = setting
    return found


def _admins(static: Static, fields: Fields, config: Config) -> None:
    """Note the API that anybody reaches who reaches Traefik's own entry point (`api.insecure`)."""
    insecure = f.boolean(f.inside(fields, "api"), "insecure")
    if insecure is None or not insecure.value or insecure.span is None:
        return
    entry = static.entry_points.get(INTERNAL)
    listener = None if entry is None else entry.listener
    address = values.endpoint(":8080", listener=True) if entry is None else listener and listener.address
    config.admins.append(Admin("api", insecure.span, address or None, writable=False, protected=""))
