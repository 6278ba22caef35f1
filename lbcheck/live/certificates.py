"""What a server's certificate says: names, issuer, how long it is valid; and whether a name is among its names."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from lbcheck.live.outcome import Certificate
from lbcheck.live.target import HAPROXY

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAY = 86_400
#: So many names of a certificate are kept: some have hundreds.
_MOST = 20


class Presented(NamedTuple):
    """A certificate as it was presented: DNS names, common names, issuer, validity in seconds since 1970."""

    dns: tuple[str, ...]
    common: tuple[str, ...]
    issuer: str
    begins: float
    ends: float

    def has(self, name: str, rule: str) -> bool:
        """Say whether it is for a name, as the proxy compares them.

        OpenSSL looks at the common name only where there is no alternative name; HAProxy always
        (src/ssl_sock.c, ssl_sock_srv_verifycbk()). Neither takes an IP address for a name.
        """
        wanted = self.dns if self.dns and rule != HAPROXY else (*self.dns, *self.common)
        return any(matches(pattern, name) for pattern in wanted)

    @property
    def names(self) -> tuple[str, ...]:
        """What it is for, for people."""
        return (self.dns or self.common)[:_MOST]

    def told(self, *, verified: bool | None) -> Certificate:
        """Return it as reports have it."""
        ends = datetime.fromtimestamp(self.ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        days = int((self.ends - time.time()) // _DAY)
        return Certificate(self.names, self.issuer, ends, days, verified)


def matches(pattern: str, host: str) -> bool:
    """Say whether a name of a certificate, maybe with a wildcard in its first label, stands for a host (RFC 6125)."""
    pattern, host = pattern.lower(), host.lower()
    if pattern == host:
        return True
    label, dot, rest = pattern.partition(".")
    first, host_dot, host_rest = host.partition(".")
    if label.count("*") != 1 or not dot or not host_dot or rest != host_rest:
        return False
    before, _, after = label.partition("*")
    return len(first) >= len(before) + len(after) and first.startswith(before) and first.endswith(after)


def of_verified(tls: ssl.SSLObject) -> Presented | None:
    """Return the certificate of a connection that OpenSSL verified."""
    found: Any = tls.getpeercert()
    if not found:
        return None
    alternative = tuple(value for kind, value in found.get("subjectAltName", ()) if kind == "DNS")
    return Presented(
        alternative,
        tuple(_values(found.get("subject", ()), "commonName")),
        ", ".join(_values(found.get("issuer", ()), "commonName", "organizationName")),
        ssl.cert_time_to_seconds(found["notBefore"]),
        ssl.cert_time_to_seconds(found["notAfter"]),
    )


def _values(name: Iterable[Iterable[tuple[str, str]]], *kinds: str) -> list[str]:
    pairs = [pair for part in name for pair in part]
    return [value for kind in kinds for key, value in pairs if key == kind]


def of_unverified(tls: ssl.SSLObject) -> Presented | None:
    """Return the certificate of a connection that nobody verified.

    OpenSSL hands such a one out undecoded through Python's ssl, and decoding it takes the package `cryptography`
    (`lbcheck[probe]`): None without it, or where it makes no sense.
    """
    data = tls.getpeercert(binary_form=True)
    try:
        from cryptography import x509
        from cryptography.x509.oid import NameOID
    except ImportError:
        return None
    if data is None:
        return None
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about certificates that are not quite right
            found = x509.load_der_x509_certificate(data)
            common = [str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
            issuer = [
                str(one.value)
                for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
                for one in found.issuer.get_attributes_for_oid(oid)
            ]
            begins, ends = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
            return Presented(_alternative(found), tuple(common), ", ".join(issuer), begins, ends)
    except ValueError:
        return None


def _alternative(found: Any) -> tuple[str, ...]:
    from cryptography import x509

    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def decodes() -> bool:
    """Say whether certificates that were not verified can be decoded here."""
    from importlib.util import find_spec

    return find_spec("cryptography") is not None
