"""What makes two findings the same one although lines have moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.results import Finding


def stamp(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with their fingerprints: 16 hexadecimal digits.

    A fingerprint is made of code, path, subject (frontend, route, pool, server, object) and the text of the line
    without its comment for lbcheck, white space folded. Findings that agree in all of that are told apart by order.
    The text is the redacted one: a short hash of a password would give the password away.
    """
    if not findings:
        return []
    try:
        from _blake2 import blake2b  # hashlib's own, without the OpenSSL that it loads for others
    except ImportError:
        from hashlib import blake2b

    seen: dict[tuple[str, ...], int] = {}
    stamped = []
    for finding in findings:
        key = _key(finding)
        ordinal = seen[key] = seen.get(key, -1) + 1
        data = "\0".join((*key, str(ordinal))).encode("utf-8", "surrogatepass")
        stamped.append(finding._replace(fingerprint=blake2b(data, digest_size=8).hexdigest()))
    return stamped


def _key(finding: Finding) -> tuple[str, ...]:
    subject = (finding.frontend, finding.route, finding.pool, finding.server)
    line = " ".join(finding.place.excerpt.partition("# lbcheck:")[0].split())
    owner = () if finding.object is None else tuple(sorted(finding.object.values()))
    return (finding.code, finding.place.path, *("" if name is None else f"={name}" for name in subject), *owner, line)
