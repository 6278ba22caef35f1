"""A certificate for every name of a sandbox, made when it is asked for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.rehearsal.plan import Plan

#: Where it lies in the sandbox.
PLACE = "/run/lbcheck-rehearsal.pem"


class Certificate:
    """A private key, the certificate for it and that of its authority, in one text."""

    def __init__(self, made: Plan) -> None:
        self._made = made
        self._text = ""

    def __call__(self) -> str:
        """Return the text."""
        if not self._text:
            import trustme

            names = ["localhost", "127.0.0.1", "rehearsal.test", *self._made.names, *sorted(self._made.certified)]
            names += [stub.host for stub in self._made.stubs if stub.host]
            authority = trustme.CA()
            leaf = authority.issue_cert(*dict.fromkeys(names))
            parts = [leaf.private_key_pem, *leaf.cert_chain_pems, authority.cert_pem]
            self._text = "".join(part.bytes().decode() for part in parts)
        return self._text
