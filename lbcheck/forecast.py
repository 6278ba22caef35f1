"""Where the requests of many configs go: read them, fill in what people declared, and put their traffic together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck import engine, project, unmatched
from lbcheck.context import Context
from lbcheck.declared import declare
from lbcheck.findings import ERROR
from lbcheck.results import Note
from lbcheck.selection import Selection
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.outcome import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.declared import Key
    from lbcheck.model import Config
    from lbcheck.project import Request
    from lbcheck.results import Finding
    from lbcheck.settings import Settings
    from lbcheck.traffic.scenario import Scenario


#: The rules that say that a config does not load, or that requests lead nowhere.
_JUDGED = engine.READING | {"P02"}


class Forecast:
    """The traffic, and the errors that kept parts of it from being known.

    `errors` are findings of reading (E01 and the like, E00 where lbcheck itself failed), and routes to pools that do
    not exist; what they say is among the traffic's `not_checked` too. `matched` are the entries of the
    settings about machines and demand that some config had a use for (`declared.Key`).
    """

    __slots__ = ("errors", "matched", "traffic")

    def __init__(self, traffic: Traffic, errors: list[Finding], matched: set[Key]) -> None:
        self.traffic = traffic
        self.errors = errors
        self.matched = matched


def forecast(request: Request, settings: Settings, scenario: Scenario) -> Forecast:
    """Read and compute; what the settings declare holds besides the scenario. Raises PathMissingError.

    Entries of the settings that match nothing are the traffic's `unmatched`; in a run over all that they can be for
    they are places that were not checked.
    """
    found = of_configs(project.configs(project.prepare(request)), settings, scenario)
    found.traffic.unmatched = unmatched.unmatched(settings, found.matched)
    found.traffic.not_checked += unmatched.notes(settings, request, found.matched)
    return found


def of_configs(configs: Iterable[Config], settings: Settings, scenario: Scenario) -> Forecast:
    """Return the traffic of configs that were read already, and of nothing else."""
    declared = settings.declarations()
    scenario = scenario._replace(demands=declared.demands)
    reading = Selection(_JUDGED, rules=settings.rules, min_severity=ERROR)
    found = Traffic(in_flight=scenario.in_flight, chosen=bool(scenario.lose or scenario.lose_zones))
    errors: list[Finding] = []
    matched: set[Key] = set()
    for config in configs:
        matched |= declare(config, declared)
        seen = engine.check(config, reading, Context(settings.targets))
        part = traffic(config, scenario, broken=engine.broken(config))
        part.configs = int(bool(config.dialect) and not config.unread)
        part.not_checked = [_told(finding) for finding in seen.findings] + seen.not_checked
        found.add(part)
        errors += seen.findings
    return Forecast(found, errors, matched)


def _told(finding: Finding) -> Note:
    return Note(finding.place, f"{finding.code} {finding.message}")
