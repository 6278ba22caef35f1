"""What is hashed for a pool with a hash policy: `hash_policy` of routes and TCP proxies, as one readable key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.model import Setting

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.message import Message


def key_of(action: Message) -> Setting[str] | None:
    """Return what a `hash_policy` hashes, such as "header x-user" or "source_ip"; None where there is none."""
    parts = []
    for one in action.messages("hash_policy"):
        part = _part(one)
        if one.true("terminal"):
            part += " (terminal)"
        parts.append(part)
    return Setting(" ^ ".join(parts), action.fields["hash_policy"][0].span) if parts else None


def _part(one: Message) -> str:
    for kind, field in (("header", "header_name"), ("cookie", "name"), ("query_parameter", "name"),
                        ("filter_state", "key")):  # fmt: skip
        if kind in one:
            rewritten = " (rewritten)" if "regex_rewrite" in one.message(kind) else ""
            return f"{kind} {one.message(kind).word(field)}{rewritten}"
    if one.message("connection_properties").true("source_ip") or "source_ip" in one:
        return "source_ip"
    return "opaque"
