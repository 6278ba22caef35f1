"""The matchers of the rule language and what each demands of its arguments (pkg/muxer/http and tcp, v2 and v3)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from lbcheck.dialects.traefikrules import goregexp
from lbcheck.dialects.traefikrules.expressions import Call, RuleError, calls, parse
from lbcheck.patterns import pattern
from lbcheck.spelling import closest
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.dialects.traefikrules.expressions import Expression

    #: Returns what is wrong with the arguments; None where nothing is.
    Demand = Callable[[Sequence[str]], str | None]

_SNI = pattern(r"(?:\*\.)?[\w.:-]+\Z")
_SNI_V2 = pattern(r"[\w.:-]+\Z")
_PREFIX = pattern(r"[0-9]{1,3}\Z")


def _anything(_arguments: Sequence[str]) -> None:
    return None


def _ascii(arguments: Sequence[str]) -> str | None:
    return None if all(text.isascii() for text in arguments) else "only ASCII is a host name here: write it as xn--…"


def _slash(arguments: Sequence[str]) -> str | None:
    return None if all(text.startswith("/") for text in arguments) else "a path begins with /"


def _go_regexp(arguments: Sequence[str]) -> str | None:
    said = goregexp.problem(arguments[-1])
    return None if said is None else f"Go's regular expressions refuse it: {said}"


def _host_regexp(arguments: Sequence[str]) -> str | None:
    return _ascii(arguments) or _go_regexp(arguments)


def _addresses(arguments: Sequence[str]) -> str | None:
    wrong = next((text for text in arguments if not _is_address(text)), None)
    return None if wrong is None else f"{wrong[:40]} is no IP address and no network such as 10.0.0.0/8"


def _is_address(text: str) -> bool:
    address, slash, length = text.partition("/")
    if not text.isascii() or "%" in text or (slash and not _PREFIX.match(length)):
        return False
    try:
        if slash:
            ip_network(text, strict=False)
        else:
            ip_address(address)
    except ValueError:
        return False
    return True


def _sni(arguments: Sequence[str]) -> str | None:
    wrong = next((text for text in arguments if text != "*" and not (text.isascii() and _SNI.match(text))), None)
    return None if wrong is None else f"{wrong[:40]} is no host name"


def _sni_v2(arguments: Sequence[str]) -> str | None:
    wrong = next((text for text in arguments if text != "*" and not (text.isascii() and _SNI_V2.match(text))), None)
    return None if wrong is None else f"{wrong[:40]} is no host name"


def _alpn(arguments: Sequence[str]) -> str | None:
    return "acme-tls/1 is kept for Traefik's own challenges" if "acme-tls/1" in arguments else None


def _braces(arguments: Sequence[str]) -> str | None:
    """Templates of the v2 syntax: `{name:pattern}`, braces in pairs (gorilla/mux braceIndices())."""
    for text in arguments:
        level = 0
        for char in text:
            level += (char == "{") - (char == "}")
            if level < 0:
                break
        if level:
            return "its braces do not come in pairs"
    return None


def _path_v2(arguments: Sequence[str]) -> str | None:
    return _slash(arguments) or _braces(arguments)


def _host_regexp_v2(arguments: Sequence[str]) -> str | None:
    return _ascii(arguments) or _braces(arguments)


def _pairs(arguments: Sequence[str]) -> str | None:
    return None if len(arguments) % 2 == 0 else "it wants names and values in pairs"


def _regexp_pairs(arguments: Sequence[str]) -> str | None:
    said = _pairs(arguments)
    for text in arguments[1::2]:
        said = said or _go_regexp([text])
    return said


def _query_v2(arguments: Sequence[str]) -> str | None:
    parts = [part for text in arguments for part in text.split("=", 1)]
    return _pairs(parts) or _braces(parts)


_MANY = ()
#: By protocol and syntax: each matcher's possible numbers of arguments (() for any), and what it demands of them.
MATCHERS: dict[tuple[str, str], dict[str, tuple[tuple[int, ...], Demand]]] = {
    ("http", "v3"): {
        "ClientIP": ((1,), _addresses),
        "Method": ((1,), _anything),
        "Host": ((1,), _ascii),
        "HostRegexp": ((1,), _host_regexp),
        "Path": ((1,), _slash),
        "PathRegexp": ((1,), _go_regexp),
        "PathPrefix": ((1,), _slash),
        "Header": ((2,), _anything),
        "HeaderRegexp": ((2,), _go_regexp),
        "Query": ((1, 2), _anything),
        "QueryRegexp": ((1, 2), lambda arguments: _go_regexp(arguments) if len(arguments) == 2 else None),
    },
    ("http", "v2"): {
        "Host": (_MANY, _ascii),
        "HostHeader": (_MANY, _ascii),
        "HostRegexp": (_MANY, _host_regexp_v2),
        "ClientIP": (_MANY, _addresses),
        "Path": (_MANY, _path_v2),
        "PathPrefix": (_MANY, _path_v2),
        "Method": (_MANY, _anything),
        "Headers": (_MANY, _pairs),
        "HeadersRegexp": (_MANY, _regexp_pairs),
        "Query": (_MANY, _query_v2),
    },
    ("tcp", "v3"): {
        "ALPN": ((1,), _alpn),
        "ClientIP": ((1,), _addresses),
        "HostSNI": ((1,), _sni),
        "HostSNIRegexp": ((1,), _host_regexp),
    },
    ("tcp", "v2"): {
        "ALPN": (_MANY, _alpn),
        "ClientIP": (_MANY, _addresses),
        "HostSNI": (_MANY, _sni_v2),
        "HostSNIRegexp": (_MANY, _braces),
    },
}


def read(text: str, protocol: str, syntax: str) -> Expression:
    """Return the expression of a rule whose matchers all bear their proper names. Raises RuleError.

    `protocol` is "http" or "tcp", `syntax` "v2" or "v3"; Traefik takes any other one for v3.
    """
    expression = parse(text)
    known = MATCHERS[protocol, "v2" if syntax == "v2" else "v3"]
    return _named(expression, {alias: name for name in known for alias in _aliases(name)}, protocol, syntax)


def _aliases(name: str) -> set[str]:
    """Return the spellings that Traefik takes (pkg/rules/parser.go NewParser())."""
    return {name, name.lower(), name.upper(), name.capitalize()}


def _named(expression: Expression, names: dict[str, str], protocol: str, syntax: str) -> Expression:
    if not isinstance(expression, Call):
        return type(expression)(tuple(_named(part, names, protocol, syntax) for part in expression.parts))
    name = names.get(expression.name)
    if name is None:
        raise _unknown(expression, protocol, syntax, names)
    counts, demand = MATCHERS[protocol, "v2" if syntax == "v2" else "v3"][name]
    arguments = expression.arguments
    if not arguments:
        raise RuleError(expression.start, f"{name} has no arguments", f"write {name}(`value`)")
    if any(not text for text in arguments):
        raise RuleError(expression.start, f"{name} has an empty argument", "write a value")
    if counts and len(arguments) not in counts:
        raise _wrong_count(expression, name, counts)
    said = demand(arguments)
    if said is not None:
        raise RuleError(expression.start, f"{name}: {said}", "mend the argument")
    return expression._replace(name=name)


def _unknown(call: Call, protocol: str, syntax: str, names: dict[str, str]) -> RuleError:
    other = "v3" if syntax == "v2" else "v2"
    if call.name in {alias for name in MATCHERS[protocol, other] for alias in _aliases(name)}:
        advice = f"write the rule in {'v2' if other == 'v3' else 'v3'} syntax, or set ruleSyntax: {other}"
        return RuleError(call.start, f"{call.name} is a matcher of the {other} syntax", advice)
    guess = closest(call.name, set(names.values()))
    advice = f"did you mean {guess}?" if guess else f"the matchers are {', '.join(sorted(set(names.values())))}"
    return RuleError(call.start, f"there is no matcher {call.name[:40]}", advice)


def _wrong_count(call: Call, name: str, counts: tuple[int, ...]) -> RuleError:
    wanted = " or ".join(map(str, counts))
    advice = f"write {name}(`…`) once for each, joined with ||" if counts == (1,) else f"give it {wanted}"
    said = counted(len(call.arguments), "argument")
    return RuleError(call.start, f"{name} has {said}, and takes {wanted} in the v3 syntax", advice)


def matchers(text: str, protocol: str, syntax: str) -> list[Call]:
    """Return a rule's matchers in order. Raises RuleError."""
    return calls(read(text, protocol, syntax))
