"""What is to be tried of one server: connections, what is sent over them, and what has to come back."""

from __future__ import annotations

from typing import NamedTuple

#: Who compares a certificate's names: OpenSSL's X509_check_host (nginx), or HAProxy's own function, which takes the
#: subject's common name beside the alternative names too.
OPENSSL, HAPROXY = "openssl", "haproxy"
#: The PROXY protocol's versions; 0 is none.
NO_PROXY, PROXY_V1, PROXY_V2 = 0, 1, 2
#: Why a server is not tried that gets no requests.
OUT_OF_ROTATION = "the config has it out of rotation"
#: `ca_file` of HAProxy that means the system's own authorities.
SYSTEM_CA = "@system-ca"


class Tls(NamedTuple):
    """How a proxy speaks TLS to a server.

    `sni` is the name it asks for ("" none). Where it verifies, the chain must end in `ca_file`, and the certificate
    must have `name` ("" any), with at most `depth` intermediate ones (None: OpenSSL's own limit). `certificate` and
    `key` are files that it shows to the server.
    """

    sni: str = ""
    verify: bool = False
    name: str = ""
    rule: str = OPENSSL
    ca_file: str = ""
    depth: int | None = None
    certificate: str = ""
    key: str = ""
    alpn: tuple[str, ...] = ()


class Connect(NamedTuple):
    """Open a connection to a host (a name or an address) and port, or to a socket's `path`."""

    host: str
    port: int
    path: str = ""
    proxy: int = NO_PROXY
    tls: Tls | None = None

    @property
    def place(self) -> str:
        """Where it leads, for people."""
        return self.path or (f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}")


class Send(NamedTuple):
    """Send these bytes."""

    data: bytes


class Expect(NamedTuple):
    """Wait for something, in an `http` answer or among any bytes.

    `kind` is HAProxy's word ("status", "rstring", …), or names a protocol's own answer.
    `least` is how many bytes must be there before the absence of a match counts (-1: it never does). `header` is
    (how the name is compared, name, how the value is compared, value) of "hdr" and "fhdr", without a value "". `ok404`:
    an answer 404 takes the server out of rotation instead of down. `words` are for people.
    """

    kind: str
    pattern: bytes = b""
    inverse: bool = False
    least: int = -1
    header: tuple[str, bytes, str, bytes] = ("", b"", "", b"")
    http: bool = False
    ok404: bool = False
    words: str = ""


Step = Connect | Send | Expect


class Times(NamedTuple):
    """How long the proxy waits, in seconds (None: not known): until connected, and then for the answer.

    `together`: the first one holds for both.
    """

    connect: float | None = None
    answer: float | None = None
    together: bool = False


class Target(NamedTuple):
    """One server: the steps of its check, and where its requests go if that is elsewhere.

    `every`: each address of a name is a server of its own. `asked` says in words what is asked, `gaps` what of the
    check cannot be tried here. `needs_name`: the proxy that does not start while the name has no address; of a server
    that is out of rotation, nothing but that counts (`only_name`).
    """

    steps: tuple[Step, ...]
    asked: str
    times: Times = Times()
    traffic: Connect | None = None
    every: bool = False
    gaps: tuple[str, ...] = ()
    needs_name: str = ""
    only_name: bool = False


class ImpossibleError(Exception):
    """A server, or a part of its check, cannot be tried; the text says why."""
