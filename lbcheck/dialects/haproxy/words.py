"""Tables of keywords are written as texts of words, which read and diff better than lists of quotes."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())
