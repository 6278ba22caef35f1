"""A certificate for every name of a sandbox, made when it is asked for, and made anew once there are more names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import trustme

#: Where it lies in the sandbox.
PLACE = "/run/lbcheck-rehearsal.pem"


class Certificate:
    """A private key, the certificate for it and that of its authority, in one text."""

    def __init__(self, wanted: Callable[[], Iterable[str]]) -> None:
        """`wanted` tells which names there are by now."""
        self._wanted = wanted
        self._authority: trustme.CA | None = None
        self._names: tuple[str, ...] = ()
        self._text = ""

    def __call__(self) -> str:
        """Return the text. All of them are signed by one authority."""
        import trustme

        if self._authority is None:
            self._authority = trustme.CA()
        names = tuple(dict.fromkeys(self._wanted()))
        if names != self._names:
            self._names = names
            leaf = self._authority.issue_cert(*_possible(self._authority, names))
            parts = [leaf.private_key_pem, *leaf.cert_chain_pems, self._authority.cert_pem]
            self._text = "".join(part.bytes().decode() for part in parts)
        return self._text


def _possible(authority: trustme.CA, names: Sequence[str]) -> list[str]:
    """Return the names that a certificate can be for: of hosts, with no underscore or variable in them."""
    try:
        authority.issue_cert(*names)
    except ValueError:
        half = len(names) // 2
        return [*_possible(authority, names[:half]), *_possible(authority, names[half:])] if half else []
    return list(names)
