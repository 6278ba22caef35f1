"""Ports that say whether TLS is spoken there."""

from __future__ import annotations

from lbcheck.findings import INFO, WARNING

#: Ports on which TLS, or plain HTTP, is spoken; and those where it mostly is.
_TLS, _TLS_MOSTLY = frozenset({443, 6443}), frozenset({8443})
_PLAIN, _PLAIN_MOSTLY = frozenset({80}), frozenset({8080})


def mismatch(port: int, *, tls: bool) -> str | None:
    """Return how bad it is to speak TLS, or not to, to a port where the other is expected; None where it is not."""
    sure, mostly = (_PLAIN, _PLAIN_MOSTLY) if tls else (_TLS, _TLS_MOSTLY)
    return WARNING if port in sure else INFO if port in mostly else None
