"""What haproxy refuses between several lines: duplicate servers, tracking, checks without a port, TLS without a CA."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.addresses import server_address
from lbcheck.dialects.haproxy.health import check_option
from lbcheck.dialects.haproxy.judgement.heads import compatible
from lbcheck.dialects.haproxy.judgement.said import guess, hit, plain
from lbcheck.dialects.haproxy.values import number
from lbcheck.findings import Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.serverlines import ServerLine
    from lbcheck.findings import Hit


#: An address that ends in a port other than 0.
_PORT = re.compile(r":0*[1-9][0-9]*$")


def together(tree: Tree) -> Iterator[Hit]:
    """Yield what is refused about the servers of each backend; haproxy does not look into a disabled one."""
    lenient = bool(tree.global_lines("ssl-server-verify", "none"))
    watched: dict[str, dict[str, list[ServerLine]]] = {}
    for proxy in tree.proxies:
        if not proxy.is_backend or not proxy.servers or proxy.section.head.branch or proxy.disabled:
            continue
        yield from _names(proxy)
        if proxy.gives("id"):
            yield from _ids(proxy)
        if proxy.gives("check"):
            yield from _ports(proxy)
        if proxy.gives("ssl", "check-ssl"):
            yield from _unverified(proxy, lenient=lenient)
        if proxy.gives("track"):
            yield from _tracks(proxy, tree, watched)


def _names(proxy: Proxy) -> Iterator[Hit]:
    """Two servers of one name are refused unless one of them has an `id` (`check_config_validity`)."""
    if proxy.section.templated or len({entry.name for entry in proxy.servers}) == len(proxy.servers):
        return
    seen: dict[str, ServerLine] = {}
    for entry in proxy.servers:
        if entry.template or 1 in entry.line.opaque or "id" in entry.shape.keywords:
            continue
        earlier = seen.setdefault(entry.name, entry)
        if earlier is not entry and entry.name and compatible(earlier.line.branch, entry.line.branch):
            span = entry.line.span_of(1)
            problem = f"'{proxy.name}' already has a server named '{entry.name}', on line {earlier.line.span.line}"
            related = [Related(earlier.line.span_of(1), "the first one")]
            advice = "give each server its own name"
            yield hit("E10", span, problem, advice, proxy=proxy, server=entry.name, related=related)


def _ids(proxy: Proxy) -> Iterator[Hit]:
    seen: dict[int, ServerLine] = {}
    for entry in proxy.servers:
        option = entry.own("id")
        if option is None or option.opaque:
            continue
        earlier = seen.setdefault(number(option.value), entry)
        if earlier is not entry and compatible(earlier.line.branch, entry.line.branch):
            problem = f"the id {option.value} is already that of '{earlier.name}', on line {earlier.line.span.line}"
            related = [Related(earlier.line.span, "the first one")]
            yield hit(
                "E10", option.span, problem, "give each its own id", proxy=proxy, server=entry.name, related=related
            )


def _ports(proxy: Proxy) -> Iterator[Hit]:
    """A check needs a port: the server's, `port N`, or a `connect port N` (`init_srv_check` in src/check.c)."""
    for entry in proxy.servers:
        line = entry.line
        if entry.simple or "check" not in entry.shape.keywords or line.branch or line.expands or line.opaque:
            continue
        text = line.word(entry.address_index)
        if _PORT.search(text):
            continue
        address = server_address(text)
        if address.kind not in ("ipv4", "ipv6") or address.port or address.host in ("", "0.0.0.0", "::", None):  # noqa: S104
            continue
        port = entry.options.get("port")
        if (port is not None and number(port.value) > 0) or "addr" in entry.options or _connects(proxy):
            continue
        problem = f"'{entry.name}' is checked, but neither its address nor a 'port' says on which port"
        advice = f"write '{address.text.rstrip(':')}:PORT', or 'check port PORT'"
        span = line.span_of(entry.address_index)
        yield hit("E14", span, problem, advice, proxy=proxy, server=entry.name)


def _connects(proxy: Proxy) -> bool:
    """Say whether the check's own `connect` steps may give a port."""
    option = check_option(proxy)
    word = {"httpchk": "http-check", "tcp-check": "tcp-check"}.get(option.word(1) if option else "", "")
    return bool(word) and any(line.word(1) == "connect" for line in proxy.inherited(word))


def _unverified(proxy: Proxy, *, lenient: bool) -> Iterator[Hit]:
    """TLS to a server verifies its certificate by default, and then needs a CA (`ssl_sock_prepare_srv_ctx`)."""
    for entry in proxy.servers:
        options = entry.options
        reason = options.get("ssl") or options.get("check-ssl")
        if reason is None or "ca-file" in options or entry.line.branch or entry.line.expands or entry.unknown:
            continue
        verify = options.get("verify")
        if verify is not None and (verify.value == "none" or verify.opaque or not plain(verify.line, verify.index + 1)):
            continue
        if verify is None and lenient:
            continue
        problem = f"'{entry.name}' speaks TLS and its certificate is to be verified, but no 'ca-file' says by what"
        advice = "add 'ca-file FILE' (or '@system-ca'), or 'verify none' if you trust the network"
        yield hit(
            "E14",
            reason.span if reason.line is entry.line else entry.line.span,
            problem,
            advice,
            proxy=proxy,
            server=entry.name,
        )


def _tracks(proxy: Proxy, tree: Tree, watched: dict[str, dict[str, list[ServerLine]]]) -> Iterator[Hit]:
    for entry in proxy.servers:
        track = entry.options.get("track")
        if track is None or track.opaque or not track.value or entry.line.branch or tree.templated:
            continue
        if "check" in entry.options:
            check = entry.options["check"]
            related = [] if check.line is entry.line else [Related(check.span, "'check' is inherited from here")]
            problem = f"'{entry.name}' cannot both be checked and track another server"
            advice = "take one of them out: 'no-check' undoes an inherited check"
            yield hit("E14", track.span, problem, advice, proxy=proxy, server=entry.name, related=related)
            continue
        yield from _tracked(entry, track.value, proxy, tree, watched)


def _tracked(
    entry: ServerLine, target: str, proxy: Proxy, tree: Tree, watched: dict[str, dict[str, list[ServerLine]]]
) -> Iterator[Hit]:
    track = entry.options["track"]
    pool, slash, name = target.rpartition("/")
    home = tree.backends.get(pool) if slash else proxy
    if home is None:
        meant = guess(pool, tree.backends)
        advice = f"did you mean '{meant}/{name}'?" if meant else "write 'track BACKEND/SERVER' with one that exists"
        yield hit("E11", track.span, f"there is no backend '{pool}' to track", advice, proxy=proxy, server=entry.name)
        return
    if home.section.templated or any(other.template or other.line.opaque for other in home.servers):
        return
    if home.name not in watched:
        watched[home.name] = {}
        for other in home.servers:
            watched[home.name].setdefault(other.name, []).append(other)
    found = watched[home.name].get(name)
    if found is None:
        meant = guess(name, watched[home.name])
        advice = f"did you mean '{meant}'?" if meant else "write the name of one that exists"
        problem = f"'{home.name}' has no server '{name}' to track"
        yield hit("E11", track.span, problem, advice, proxy=proxy, server=entry.name)
    elif not any(_watched(other.options) for other in found):
        problem = f"'{entry.name}' tracks '{name}', which is not checked itself"
        related = [Related(found[0].line.span, "the tracked server")]
        yield hit(
            "E14", track.span, problem, f"add 'check' to '{name}'", proxy=proxy, server=entry.name, related=related
        )
    elif _circle(entry, home, name, found, proxy):
        yield hit(
            "E14",
            track.span,
            f"'{entry.name}' tracks itself in a circle",
            "let one of them be checked",
            proxy=proxy,
            server=entry.name,
        )


def _watched(options: object) -> bool:
    return isinstance(options, dict) and any(word in options for word in ("check", "agent-check", "track"))


def _circle(entry: ServerLine, home: Proxy, name: str, found: Sequence[ServerLine], proxy: Proxy) -> bool:
    """Say whether a server tracks itself, at once or through one other of its backend."""
    if home is not proxy:
        return False
    if name == entry.name:
        return True
    back = found[0].options.get("track")
    return back is not None and "check" not in found[0].options and back.value == entry.name
