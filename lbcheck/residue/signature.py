"""What a config means: everything that its model holds, without places and without the labels that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.model import Config, Pool, Setting

if TYPE_CHECKING:
    from collections.abc import Hashable

#: Attributes that say where something is written, how it is called in messages, or what comments and settings declare.
_BESIDE = frozenset({"span", "label", "capacity"})
#: What of a config decides where requests go, or says that it is not known.
_DECIDES = ("frontends", "pools", "used", "workers", "resolvers")
_SIMPLE = (str, int, float, bool, type(None))
#: The attributes of each class that count.
_slots: dict[type, tuple[str, ...]] = {}


def signature(config: Config) -> Hashable:
    """Return a value that is the same for two configs only if their models say the same."""
    opened = config.open is not None  # the words name a line
    return (opened, *(_said(getattr(config, name), top=True) for name in _DECIDES))


def _said(value: Any, *, top: bool = False) -> Hashable:
    if isinstance(value, _SIMPLE):
        return value
    if isinstance(value, Setting):
        return _said(value.value)
    if isinstance(value, dict):
        return tuple(sorted((str(key), repr(_said(one))) for key, one in value.items()))
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(repr(_said(one)) for one in value))
    if isinstance(value, (list, tuple)):
        return tuple(_said(one, top=top) for one in value)
    return (value.scope, value.name) if isinstance(value, Pool) and not top else _object(value)


def _object(value: Any) -> Hashable:
    return tuple(_said(getattr(value, name)) for name in _attributes(value.__class__))


def _attributes(kind: type) -> tuple[str, ...]:
    """Return the slots of a class of the model; none of what is no part of it: spans, functions."""
    found = _slots.get(kind)
    if found is None:
        slots = [one.__dict__.get("__slots__", ()) for one in kind.__mro__ if one.__module__ == Config.__module__]
        names = (name for some in slots for name in some)
        found = _slots[kind] = tuple(name for name in names if name not in _BESIDE and not name.startswith("_"))
    return found
