"""Is a text a Traefik configuration? By its sections, cheaply, and without taking Compose files or charts for one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects import composefile
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Source

#: A quick look for the words of which the tests below need one, in lower case: a large file of another kind is told
#: in a fraction of the time that an expression takes.
_LIKELY = (
    "entrypoints", "providers", "routers", "services", "middlewares", "serverstransports", "certificates", "options"
)  # fmt: skip
_LABELLED = ("traefik", "--entrypoints.", "--providers.")
#: What makes a Compose file one of Traefik's: labels for it, Traefik with arguments, or its image, to which it may
#: give files.
_LABELS = pattern(
    r"\btraefik\.(?:http|tcp|udp)\.|--(?:entrypoints\.|providers\.(?:docker|swarm|file)\b)"
    r"|\bimage[\"']?:[ \t]*[\"']?(?:[\w.:-]+/)*traefik(?:[:@\"'\s]|\Z)",
    re.IGNORECASE,
)
#: In a dynamic file, what stands directly below http, tcp, udp or tls.
_BELOW = r"(?:routers|services|middlewares|serverstransports|models)"
_BELOW_TLS = r"(?:certificates|options|stores)"
#: What only Traefik writes inside of them.
_TELLING = pattern(
    r"\b(?:loadbalancer|weighted|mirroring|failover|highestrandomweight|rule|entrypoints|middlewares|service|certfile"
    r"|minversion|ciphersuites|snistrict|clientauth|defaultcertificate|alpnprotocols|stripprefix|redirectscheme|headers"
    r"|basicauth|ipallowlist|ipwhitelist|forwardauth|chain|compress|ratelimit|buffering|errors|retry|plugin"
    r"|insecureskipverify|forwardingtimeouts)\b[\"']?\s*[\].:=]",
    re.IGNORECASE,
)
_PROVIDER = (
    r"(?:docker|swarm|file|kubernetescrd|kubernetesingress(?:nginx)?|kubernetesgateway|consulcatalog|consul|nomad|ecs"
    r"|redis|etcd|zookeeper|rest|http|marathon|rancher|knative|providersthrottleduration|plugin)"
)
_TOML_DYNAMIC = pattern(
    rf"^[ \t]*\[{{1,2}}(?:(?:http|tcp|udp)\.{_BELOW}|tls\.{_BELOW_TLS})\b", re.IGNORECASE | re.MULTILINE
)
_TOML_STATIC = pattern(
    rf"^[ \t]*\[(?:entrypoints(?:\.[^\]\n]+)?|providers\.{_PROVIDER})(?:\.[^\]\n]*)?\]", re.IGNORECASE | re.MULTILINE
)
_YAML_TOP = pattern(r"^[\"']?(http|tcp|udp|tls|entrypoints|providers)[\"']?[ \t]*:", re.IGNORECASE | re.MULTILINE)
_KEY = pattern(r"([ \t]+)[\"']?([^\s\"':#]+)[\"']?[ \t]*:")
_FLOW = pattern(
    rf"(?:^|[\"'{{,\s])(?:http|tcp|udp)[\"']?\s*:\s*\{{\s*[\"']?{_BELOW}\b"
    rf"|(?:^|[\"'{{,\s])entrypoints[\"']?\s*:\s*\{{\s*[\"']?[\w.-]+[\"']?\s*:\s*\{{\s*[\"']?address\b"
    rf"|(?:^|[\"'{{,\s])providers[\"']?\s*:\s*\{{\s*[\"']?{_PROVIDER}\b[\"']?\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_CHILDREN = {
    **dict.fromkeys(("http", "tcp", "udp"), pattern(rf"{_BELOW}\Z", re.IGNORECASE)),
    "tls": pattern(rf"{_BELOW_TLS}\Z", re.IGNORECASE),
    "providers": pattern(rf"{_PROVIDER}\Z", re.IGNORECASE),
}
#: Keys of an entry point.
_ENTRY = pattern(
    r"^[ \t]+[\"']?(?:address|http|transport|proxyprotocol|forwardedheaders|asdefault|reuseport|http2|http3|udp"
    r"|observability|allowacmebypass)[\"']?[ \t]*:"
    r"|^[ \t]+[\w.\"'-]+[ \t]*:[ \t]*\{[^\n]*\baddress[\"']?[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
#: Other formats have these at their top level, and some of Traefik's words inside (a chart's values, a Compose file).
_OTHERS = pattern(
    r"^(?:apiVersion|kind|services|image|lbcheck|static_resources|openapi|swagger|deployment)[ \t]*:", re.MULTILINE
)


def recognises(source: Source) -> bool:
    """Say whether the text is a static or dynamic configuration of Traefik 2 or 3."""
    text = source.text
    lowered = text.lower()
    if not any(word in lowered for word in _LIKELY):
        return False
    if any(word in lowered for word in _LABELLED) and _LABELS.search(text) and composefile.recognises(source):
        return True
    if _TOML_STATIC.search(text):
        return True
    if _TOML_DYNAMIC.search(text):
        return _TELLING.search(text) is not None
    if _OTHERS.search(text):
        return False
    return any(_section(text, match) for match in _YAML_TOP.finditer(text)) or _flow(text)


def _flow(text: str) -> bool:
    head = text.lstrip("\ufeff \t\r\n")
    return head.startswith("{") and _FLOW.search(text) is not None and _telling_or_static(text)


def _telling_or_static(text: str) -> bool:
    return _TELLING.search(text) is not None or "entrypoints" in text.lower()


def _section(text: str, match: re.Match[str]) -> bool:
    """Say whether a YAML section at the top level holds what Traefik's section of that name holds."""
    name = match[1].lower()
    line_end = text.find("\n", match.end())
    rest = text[match.end() : line_end if line_end >= 0 else len(text)].strip()
    if rest.startswith("{"):
        return _FLOW.search(text, match.start(), match.end() + 400) is not None and _telling_or_static(text)
    if line_end < 0 or (rest and not rest.startswith(("#", "&"))):
        return False
    children, end = _children(text, line_end + 1)
    if name == "entrypoints":
        return bool(children) and _ENTRY.search(text, line_end, end) is not None
    wanted = _CHILDREN[name]
    if not any(wanted.match(child) for child in children):
        return False
    return name == "providers" or _TELLING.search(text, line_end, end) is not None


def _children(text: str, at: int) -> tuple[list[str], int]:
    """Return the keys one level below a section that begins at `at`, and where it ends."""
    indent: str | None = None
    found = []
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        stripped = line.strip()
        if stripped and not stripped.startswith(("#", "{{")):
            key = _KEY.match(line)
            if line[0] not in " \t":
                break
            indent = indent or (key[1] if key else None)
            if key is not None and key[1] == indent:
                found.append(key[2])
        at = end + 1
    return found, at
