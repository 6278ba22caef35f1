"""Times as the objects write them: Go's durations in Istio, a narrower form of them in the Gateway API."""

from __future__ import annotations

from lbcheck.patterns import pattern

_GATEWAY = pattern(r"(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}\Z")
_PART = pattern(r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<unit>h|ms|m|s|us|µs|ns)")
_GO = pattern(r"(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:h|ms|m|s|us|µs|ns))+\Z")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def gateway_seconds(text: str) -> float | None:
    """Return the seconds of a Gateway API duration (GEP-2257: up to four parts of h, m, s, ms); None for no such."""
    return _sum(text) if _GATEWAY.match(text) else None


def go_seconds(text: str) -> float | None:
    """Return the seconds of a duration as Go's time.ParseDuration reads it; None for no such."""
    if text in ("0", "0s"):
        return 0.0
    return _sum(text) if len(text) < 60 and _GO.match(text) else None


def _sum(text: str) -> float:
    return sum(float(part["number"]) * _UNITS[part["unit"]] for part in _PART.finditer(text))
