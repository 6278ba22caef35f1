"""Features that not every version of the proxy has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import ERROR, INFO, Hit, Related
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config, Requirement

#: More related places than this are not listed.
_MOST = 10


def feature_needs_version(config: Config, context: Context) -> Iterator[Hit]:
    """O05: the config uses what the target version refuses.

    One finding a feature, at its first use; where the target is not known one for the whole config, at the feature
    that needs the newest version.
    """
    first: dict[tuple[str, str], Requirement] = {}
    for requirement in config.requirements:
        first.setdefault((requirement.product, requirement.feature), requirement)
    for product in dict.fromkeys(product for product, _ in first):
        needed = [requirement for requirement in first.values() if requirement.product == product]
        target = context.targets.get(product)
        if target is None:
            yield _most(product, needed)
            continue
        for requirement in needed:
            if not requirement.since or target < requirement.since:
                yield _hit(requirement, f"the target, {product} {_dotted(target)}, refuses the config", ERROR)


def _most(product: str, needed: Sequence[Requirement]) -> Hit:
    """Return the finding about the feature that rules out most versions: one without any open-source version first."""
    newest = max(needed, key=lambda requirement: (not requirement.since, requirement.since))
    others = [requirement for requirement in needed if requirement is not newest]
    refuses = f"an older {product}" if newest.since else f"open-source {product}"
    more = f", and {counted(len(others), 'more feature')} of this config" if others else ""
    verdict = f"{refuses} refuses it{more}"
    return _hit(newest, verdict, INFO, [Related(each.span, f"{each.feature} needs {_needs(each)}") for each in others])


def _hit(requirement: Requirement, verdict: str, severity: str, related: Sequence[Related] = ()) -> Hit:
    args = {"feature": requirement.feature, "needs": _needs(requirement), "verdict": verdict}
    return Hit("O05", requirement.span, args, severity=severity, related=related[:_MOST])


def _needs(requirement: Requirement) -> str:
    version = f"{requirement.product} {_dotted(requirement.since)} or later" if requirement.since else ""
    return " or ".join(word for word in (requirement.edition, version) if word)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
