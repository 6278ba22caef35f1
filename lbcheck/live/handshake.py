"""TLS to a server as its proxy does it: verified where the proxy verifies, and what its certificate says."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any

from lbcheck.files import UnreadableError, read_regular
from lbcheck.live import certificates
from lbcheck.live.failure import FailedError, UnsureError
from lbcheck.live.outcome import TLS
from lbcheck.live.stream import broken_off, opened
from lbcheck.live.target import SYSTEM_CA
from lbcheck.wording import counted

if TYPE_CHECKING:
    from lbcheck.live.certificates import Presented
    from lbcheck.live.outcome import Certificate
    from lbcheck.live.stream import Stream
    from lbcheck.live.target import Connect, Tls

#: OpenSSL's X509_V_ERR_… for what has a remedy of its own.
_EXPIRED, _NOT_YET, _SELF_SIGNED = 10, 9, 18
#: What a server that speaks no TLS makes OpenSSL say.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "UNEXPECTED_MESSAGE", "HTTP_REQUEST"})


class Contexts:
    """OpenSSL's contexts, one for all servers that are verified alike: reading authorities takes its time."""

    def __init__(self) -> None:
        self._made: dict[Tls, tuple[ssl.SSLContext, str]] = {}

    def of(self, tls: Tls, *, verify: bool) -> tuple[ssl.SSLContext, str]:
        """Return the context for a connection, and what is missing of it ("" nothing)."""
        key = tls._replace(sni="", name="", verify=verify, depth=None)
        if key not in self._made:
            self._made[key] = _context(key)
        return self._made[key]


def _context(tls: Tls) -> tuple[ssl.SSLContext, str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the proxies compare names in ways of their own: certificates.Presented.has
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT")  # as the proxies: OpenSSL's own choice, not Python's
    context.verify_mode = ssl.CERT_NONE
    if tls.alpn:
        with contextlib.suppress(ssl.SSLError, ValueError):  # names that cannot be sent: the proxy refuses them too
            context.set_alpn_protocols(list(tls.alpn))
    missing = _trust(context, tls.ca_file) if tls.verify else ""
    if tls.certificate:
        missing = missing or _show(context, tls)
    return context, missing


def _trust(context: ssl.SSLContext, path: str) -> str:
    """Verify by the authorities in a file; where there are none, verify nothing and say why."""
    if not path:
        return "its certificate was not verified: no file of authorities is named, and the proxy refuses that"
    try:
        if path == SYSTEM_CA:
            context.load_default_certs()
        else:
            context.load_verify_locations(cadata=read_regular(path).decode("ascii", "ignore"))
    except UnreadableError as error:
        return f"its certificate was not verified: {path}: {error.reason} (--root finds it)"
    except (ssl.SSLError, ValueError):
        return f"its certificate was not verified: {path} holds no certificates"
    context.verify_mode = ssl.CERT_REQUIRED
    return ""


def _show(context: ssl.SSLContext, tls: Tls) -> str:
    """Show a certificate to the server; where it cannot be had, say why."""
    try:
        for path in filter(None, (tls.certificate, tls.key)):
            read_regular(path)
        context.load_cert_chain(tls.certificate, tls.key or None, password=_nobody)
    except UnreadableError as error:
        return f"the certificate to show to it is not here: {tls.certificate}: {error.reason} (--root finds it)"
    except (OSError, ValueError):
        return f"the certificate to show to it cannot be used: {tls.certificate}"
    return ""


def _nobody() -> str:
    """Answer OpenSSL's question for a password, which would wait at the terminal."""
    return ""


async def secured(stream: Stream, connect: Connect, contexts: Contexts) -> tuple[Certificate | None, str]:
    """Begin TLS on a connection, and return the server's certificate and what could not be done of it ("" nothing).

    Raises FailedError, and UnsureError where it fails for want of a file that is not here.
    """
    tls = connect.tls
    assert tls is not None  # noqa: S101 - asked for TLS only
    context, missing = contexts.of(tls, verify=tls.verify)
    try:
        await stream.handshake(context, tls.sni)
    except ssl.SSLCertVerificationError as error:
        presented = await _looked_at(connect, tls, contexts)
        raise _distrusted(connect, tls, error.verify_code, error.verify_message, presented) from None
    except OSError as error:
        failed = _refused(connect, error) if isinstance(error, ssl.SSLError) else broken_off(TLS, connect.place)
        if tls.certificate and missing:
            raise UnsureError(f"{failed.reason}; {missing}") from None
        raise failed from None
    except ValueError:
        raise UnsureError(f"{tls.sni} is no name that can be asked for by SNI") from None
    if context.verify_mode == ssl.CERT_NONE:
        presented = certificates.of_unverified(stream.tls)
        return (None if presented is None else presented.told(verified=None)), missing
    presented = certificates.of_verified(stream.tls)
    if presented is not None:
        _judge(connect, tls, stream, presented)
    return (None if presented is None else presented.told(verified=True)), missing


def _judge(connect: Connect, tls: Tls, stream: Stream, presented: Presented) -> None:
    if tls.name and not presented.has(tls.name, tls.rule):
        names = ", ".join(presented.names[:3]) or "no name"
        raise FailedError(
            TLS,
            f"the certificate of {connect.place} is for {names}, and the proxy wants {tls.name}",
            f"issue it for {tls.name}, or let the proxy ask for a name that it has",
            certificate=presented.told(verified=False),
        )
    between = _intermediates(stream.tls)
    if tls.depth is not None and between is not None and between > tls.depth:
        raise FailedError(
            TLS,
            f"the chain of {connect.place} has {between} intermediate certificates, and the proxy allows {tls.depth}",
            f"set proxy_ssl_verify_depth {between}",
            certificate=presented.told(verified=False),
        )


def _intermediates(tls: ssl.SSLObject) -> int | None:
    """Return how many certificates stand between the server's own and the authority's; None where Python hides it."""
    chain: Any = getattr(tls, "get_verified_chain", None) or getattr(
        getattr(tls, "_sslobj", None), "get_verified_chain", None
    )
    return None if chain is None else max(0, len(chain() or ()) - 2)


async def _looked_at(connect: Connect, tls: Tls, contexts: Contexts) -> Presented | None:
    """Connect once more without verifying, for what the distrusted certificate says."""
    if not certificates.decodes():
        return None
    stream = None
    try:
        stream = await opened(connect)
        await stream.handshake(contexts.of(tls, verify=False)[0], tls.sni)
        return certificates.of_unverified(stream.tls)
    except (FailedError, UnsureError, OSError):
        return None
    finally:
        if stream is not None:
            stream.close()


def _distrusted(connect: Connect, tls: Tls, code: int, message: str, presented: Presented | None) -> FailedError:
    told = None if presented is None else presented.told(verified=False)
    place = connect.place
    if code == _EXPIRED:
        if told is None:
            reason = f"a certificate in the chain of {place} has expired"
        elif told.days < 0:
            ago = counted(-told.days - 1, "day") if told.days < -1 else "less than a day"
            reason = f"the certificate of {place} expired on {told.expires[:10]}, {ago} ago"
        else:
            reason = f"a certificate above that of {place} has expired"
        advice = "renew the certificate"
    elif code == _NOT_YET:
        reason, advice = f"the certificate of {place} is not valid yet", "look at the clocks, or wait"
    else:
        by = "itself" if code == _SELF_SIGNED else (told.issuer if told is not None and told.issuer else "")
        signed = f" is signed by {by}, which the proxy does not trust" if by else f" is not trusted: {message}"
        reason = f"the certificate of {place}{signed}"
        advice = f"add its issuer to {tls.ca_file}, or send the intermediate certificates with it"
    return FailedError(TLS, reason, advice, certificate=told)


def _refused(connect: Connect, error: ssl.SSLError) -> FailedError:
    what = (error.reason or "").upper()
    if what in _NO_TLS:
        return FailedError(
            TLS, f"{connect.place} does not speak TLS", "drop TLS towards it in the proxy's config, or correct the port"
        )
    if isinstance(error, ssl.SSLEOFError) or "EOF" in what:
        return broken_off(TLS, connect.place)
    said = what.replace("_", " ").lower() or "protocol error"
    return FailedError(TLS, f"the TLS handshake with {connect.place} fails: {said}", "look at the server's log")
