"""The resolved tree into the model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy import keywords
from lbcheck.dialects.haproxy.admins import admins
from lbcheck.dialects.haproxy.binds import listeners
from lbcheck.dialects.haproxy.durations import durations
from lbcheck.dialects.haproxy.names import Names, unread_maps, use_of
from lbcheck.dialects.haproxy.pools import pool, timeouts
from lbcheck.dialects.haproxy.requirements import requirements
from lbcheck.dialects.haproxy.routes import routes, settle_scheme
from lbcheck.dialects.haproxy.sections import ENTERPRISE_KINDS
from lbcheck.dialects.haproxy.values import number
from lbcheck.findings import NotChecked
from lbcheck.model import Config, Frontend, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.files import Files

#: Frontend keywords that checks ask for, kept in `Frontend.options` with their text.
_OPTIONS = ("id", "description", "disabled", "rate-limit", "backlog", "monitor-uri", "http-reuse")
#: Keywords of the global section that hold for every pool: by how many percent the intervals between checks may vary,
#: where files of certificates lie, and whether servers' certificates are verified where their lines do not say.
_GLOBALS = ("spread-checks", "ca-base", "crt-base", "ssl-server-verify")


def lower(tree: Tree, files: Files) -> Config:
    """Turn a resolved tree into a Config; never raises."""
    path = tree.documents[0].source.path
    config = Config("haproxy", path, [document.source for document in tree.documents])
    config.tree = tree
    names = Names(files, os.path.dirname(path))
    for proxy in tree.proxies:
        if proxy.is_backend:
            made, unknown = pool(proxy)
            names.pools.setdefault(proxy.name, made)
            config.pools.append(made)
            config.unmodelled.extend(unknown)
    use_of(tree, names)
    _tracked(config, names)
    for proxy in tree.proxies:
        if proxy.is_frontend:
            config.frontends.append(_frontend(proxy, names))
            config.unmodelled.extend(unread_maps(names, proxy.lines("use_backend")))
    if not tree.sections("global") and not tree.sections("defaults"):
        config.open = "it has no global and no defaults section: another -f file must bring them"
    config.used = {("", name) for name in names.used}
    _rest(config, tree)
    return config


def _frontend(proxy: Proxy, names: Names) -> Frontend:
    maxconn = proxy.effective("maxconn")
    options: dict[str, Setting[Any]] = {}
    for keyword in _OPTIONS:
        if (line := proxy.effective(keyword)) is not None:
            options[keyword] = Setting(line.text_from(1) or True, line.span)
    for name, line in proxy.options().items():
        options[name] = Setting(line.text_from(2) or True, line.span)
    found = routes(proxy, names)
    binds = listeners(proxy)
    if binds and len({bind.tls for bind in binds}) == 1 and all(map(_spelled_out, proxy.lines("bind"))):
        settle_scheme(found, tls=binds[0].tls)
    return Frontend(
        proxy.name,
        proxy.span,
        [] if proxy.disabled else binds,
        found,
        protocol=proxy.mode,
        timeouts=timeouts(proxy),
        max_conns=Setting(number(maxconn.word(1)), maxconn.span) if maxconn and 1 not in maxconn.opaque else None,
        branch=proxy.section.head.branch,
        options=options,
    )


def _spelled_out(line: Line) -> bool:
    """Say whether no template and no variable decides what follows the address."""
    return not line.expands and all(index < 2 for index in line.opaque)


def _tracked(config: Config, names: Names) -> None:
    """A pool whose server another one tracks is in use."""
    for made in config.pools:
        for one in made.servers:
            if one.tracks is not None and "/" in one.tracks.value:
                names.used.add(one.tracks.value.partition("/")[0])


def _from_global(config: Config, tree: Tree) -> None:
    """Keep in every pool what the global section says about checks and about TLS to servers."""
    held: dict[str, Setting[Any]] = {}
    for keyword in _GLOBALS:
        lines = tree.global_lines(keyword)
        if lines and 1 not in lines[-1].opaque:
            value = lines[-1].word(1)
            held[keyword] = Setting(number(value) if keyword == "spread-checks" else value, lines[-1].span)
    if held:
        for made in config.pools:
            made.options = {**made.options, **held}


def _rest(config: Config, tree: Tree) -> None:
    config.admins.extend(admins(tree))
    config.durations.extend(durations(tree))
    config.requirements.extend(requirements(tree))
    config.resolvers = {section.name: section.span for section in tree.sections("resolvers")}
    config.blocks = lambda: [section.extent for section in tree.read.sections]
    _from_global(config, tree)
    processes = tree.global_lines("nbproc")
    config.workers = Setting(number(processes[-1].word(1)), processes[-1].span) if processes else Setting(1)
    if tree.templated:
        config.open = "a template decides some of its lines"
    config.unmodelled.extend(_unseen(config))
    config.unmodelled.extend(_unknown(tree))
    for document in tree.documents:
        config.unmodelled.extend(NotChecked(span, "a template's statement") for span in document.controls)
        _foreign_bytes(config, document.source.text, document.source)


def _unseen(config: Config) -> Iterator[NotChecked]:
    """Yield the names of pools that an open config does not have: HAProxy would not start without them."""
    for frontend in config.frontends if config.open is not None else ():
        for route in frontend.routes:
            for target in route.targets:
                if target.pool is None and route.expression is None:
                    yield NotChecked(target.span, f"no pool named {target.name} was seen: {config.open}")


def _unknown(tree: Tree) -> Iterator[NotChecked]:
    """Yield the lines and sections that no version of HAProxy up to 3.5 has, or whose keyword a template writes."""
    for section in tree.read.sections:
        known = keywords.BY_SECTION.get(section.kind)
        if section.kind in ENTERPRISE_KINDS:
            yield NotChecked(section.span, f"a section '{section.kind}' of HAProxy Enterprise")
        if known is None:
            continue
        for line in section.lines:
            if line.words[0] not in known:
                yield NotChecked(line.span_of(0), f"the keyword {line.words[0]} is not known")


def _foreign_bytes(config: Config, text: str, source: Any) -> None:
    """Note the first byte that is not UTF-8: haproxy takes it as it is, and what it means is not known."""
    if text.isascii():
        return
    at = next((index for index, char in enumerate(text) if "\udc80" <= char <= "\udcff"), -1)
    if at >= 0:
        config.unmodelled.append(NotChecked(source.span(at, at + 1), "a byte that is not UTF-8"))
