"""Features that not every version of the proxy has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import ERROR, INFO, Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Requirement


def feature_needs_version(config: Config, context: Context) -> Iterator[Hit]:
    """O05: the config uses what the target version refuses; one finding a feature, at its first use."""
    uses: dict[tuple[str, str], list[Requirement]] = {}
    for requirement in config.requirements:
        uses.setdefault((requirement.product, requirement.feature), []).append(requirement)
    for (product, feature), found in uses.items():
        needed = found[0]
        target = context.targets.get(product)
        if target is not None and needed.since and target >= needed.since:
            continue
        args = {
            "feature": feature,
            "needs": _needs(needed),
            "verdict": _verdict(product, target),
            "uses": f" ({len(found):,} times)" if len(found) > 1 else "",
        }
        yield Hit("O05", needed.span, args, severity=INFO if target is None else ERROR)


def _needs(requirement: Requirement) -> str:
    version = ".".join(map(str, requirement.since))
    known = f"{requirement.product} {version} or later" if version else ""
    return " or ".join(word for word in (requirement.edition, known) if word)


def _verdict(product: str, target: tuple[int, ...] | None) -> str:
    if target is None:
        return "an older one refuses the config"
    return f"the target, {product} {'.'.join(map(str, target))}, refuses the config"
