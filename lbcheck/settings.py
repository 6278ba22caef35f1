"""The user's settings: lbcheck.toml, or [tool.lbcheck] in pyproject.toml, with the command line's words on top."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lbcheck import catalog
from lbcheck.gate.policy import Policy
from lbcheck.selection import Selection, UnknownSelectorError, choose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lbcheck.catalog import Rule
    from lbcheck.declared import Declarations
    from lbcheck.files import FileTree
    from lbcheck.selection import Ignored
    from lbcheck.traffic.scenario import Capacity, Demand, Zone

#: The files in which settings are looked for, the first of a folder wins.
FILE = "lbcheck.toml"
PROJECT_FILE = "pyproject.toml"


class SettingsError(Exception):
    """Settings that cannot be used: one line that names the file, the key and what would do."""


class Settings:
    """What a run goes by. `path` is where it is written, None for the defaults; paths in it are relative to there.

    `text` is what is written there.

    `files` is where the settings and what they name (rule pages, the baseline) are read from, None for the disk.

    `select` None means the rules that are on by default. `configs` are files that make one config, each with its
    dialect or None. `capacities`, `demands`, `hosts` and `zones` are what people declare about their machines
    (`traffic.scenario`), `addresses` those of the hosts of which they are listed; `complete_namespaces` are the
    Kubernetes namespaces of which every object is scanned. `gate` is what a config has to fulfil before it goes live.
    `targets` maps a product to its version; `options` a rule's code to its thresholds.
    """

    __slots__ = (
        "addresses",
        "baseline",
        "capacities",
        "complete_namespaces",
        "configs",
        "demands",
        "exclude",
        "extend_select",
        "fail_on",
        "files",
        "gate",
        "hosts",
        "ignore",
        "ignored",
        "jobs",
        "min_severity",
        "options",
        "path",
        "per_file",
        "preview",
        "root",
        "rules",
        "select",
        "severities",
        "targets",
        "text",
        "zones",
    )

    def __init__(self) -> None:
        self.path: str | None = None
        self.text = ""
        self.files: FileTree | None = None
        self.gate = Policy()
        self.rules: Mapping[str, Rule] = catalog.rules()
        self.select: Sequence[str] | None = None
        self.extend_select: Sequence[str] = ()
        self.ignore: Sequence[str] = ()
        self.preview = False
        self.exclude: Sequence[str] = ()
        self.min_severity = "info"
        self.fail_on = "warning"
        self.severities: Mapping[str, str] = {}
        self.per_file: Sequence[tuple[str, frozenset[str]]] = ()
        self.ignored: Sequence[Ignored] = ()
        self.targets: Mapping[str, tuple[int, ...]] = {}
        self.options: Mapping[str, Mapping[str, float]] = {}
        self.configs: Sequence[tuple[tuple[str, ...], str | None]] = ()
        self.root: str | None = None
        self.baseline: str | None = None
        self.jobs = 0
        self.capacities: Sequence[Capacity] = ()
        self.demands: Sequence[Demand] = ()
        self.hosts: Mapping[str, int] = {}
        self.addresses: Mapping[str, Sequence[str]] = {}
        self.zones: Sequence[Zone] = ()
        self.complete_namespaces: frozenset[str] = frozenset()

    def choose(
        self,
        *,
        select: Sequence[str] | None = None,
        extend_select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        preview: bool = False,
    ) -> None:
        """Lay the command line's selectors over the file's: a `select` there makes the file's choice void."""
        if select is not None:
            self.select, self.extend_select, self.ignore = select, (), ()
        self.ignore = [*(word for word in self.ignore if word not in extend_select), *ignore]
        self.extend_select = [*self.extend_select, *extend_select]
        self.preview = self.preview or preview

    def moved(self, base: str, to: str) -> Settings:
        """Return the same settings for another version of what lies below `base`, which lies below `to` instead.

        Patterns for paths below the one then mean the same paths below the other.
        """
        from copy import copy

        here, there = os.path.abspath(base), os.path.abspath(to)

        def seen(pattern: str) -> str:
            whole = os.path.abspath(pattern)
            return os.path.join(there, os.path.relpath(whole, here)) if whole.startswith(here + "/") else pattern

        other = copy(self)
        other.per_file = [(seen(path) if "/" in path else path, codes) for path, codes in self.per_file]
        other.ignored = [
            entry._replace(path=seen(entry.path) if "/" in entry.path else entry.path) for entry in self.ignored
        ]
        other.exclude = [os.path.relpath(seen(path)) if "/" in path else path for path in self.exclude]
        return other

    def declarations(self) -> Declarations:
        """Return what is declared about machines and demand."""
        from lbcheck.declared import Declarations

        return Declarations(self.capacities, self.demands, self.zones, self.hosts, self.complete_namespaces)

    def selection(self, today: str = "") -> Selection:
        """Return what the engine judges by. Raises SettingsError for a selector that stands for no rule."""
        try:
            codes = choose(
                self.rules,
                select=self.select,
                extend=self.extend_select,
                ignore=self.ignore,
                preview=self.preview,
            )
        except UnknownSelectorError as error:
            raise SettingsError(str(error)) from None
        return Selection(
            codes,
            rules=self.rules,
            severities=self.severities,
            per_file=self.per_file,
            ignored=self.ignored,
            min_severity=self.min_severity,
            today=today,
        )


def load(path: str | None = None, *, isolated: bool = False, files: FileTree | None = None) -> Settings:
    """Return the settings of the file at `path`, or of the nearest one from here upwards to the git top.

    `isolated` returns the defaults whatever lies around. With `files` the settings are those of a git revision,
    whatever the disk says. Raises SettingsError.
    """
    settings = Settings()
    settings.files = files
    if not isolated and path is None:
        path = find(os.getcwd(), files)
    return settings if isolated or path is None else from_text(_text(path, files), path, files)


def find(folder: str, files: FileTree | None = None) -> str | None:
    """Return the nearest settings file at or above a folder, not above the git top; outside git only at the folder."""
    for place in _up_to_git_top(folder):
        own = os.path.join(place, FILE)
        if _is_file(own, files):
            return own
        project = os.path.join(place, PROJECT_FILE)
        if _is_file(project, files) and "[tool.lbcheck" in _text(project, files):
            return project
    return None


def _is_file(path: str, files: FileTree | None) -> bool:
    return os.path.isfile(path) if files is None else files.exists(path) and not files.is_folder(path)


def _up_to_git_top(folder: str) -> list[str]:
    chain = [folder]
    while not os.path.exists(os.path.join(chain[-1], ".git")):
        parent = os.path.dirname(chain[-1])
        if parent == chain[-1]:
            # Outside git nothing says where the project ends, and /tmp/lbcheck.toml may be anybody's.
            return chain[:1]
        chain.append(parent)
    return chain


def _text(path: str, files: FileTree | None = None) -> str:
    from lbcheck.files import UnreadableError, text_at

    try:
        return text_at(path, files)
    except UnreadableError as error:
        raise SettingsError(f"{path}: {error.reason}") from None


def from_text(text: str, path: str = FILE, files: FileTree | None = None) -> Settings:
    """Return the settings in a TOML text that stands, or would stand, at `path`. Raises SettingsError."""
    import tomllib

    try:
        document: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: {error}") from None
    if os.path.basename(path) == PROJECT_FILE:
        for name in ("tool", "lbcheck"):
            document = document.get(name, {})
            if not isinstance(document, dict):
                raise SettingsError(f"{path}: tool.lbcheck: {document!r} is no table of key = value")
    from lbcheck.settings_keys import KeyProblemError, put

    settings = Settings()
    settings.path = path
    settings.text = text
    settings.files = files
    for key in sorted(document, key=lambda name: name != "rules"):  # whose words and codes the others are judged by
        try:
            put(settings, key, document[key], os.path.dirname(path))
        except (KeyProblemError, UnknownSelectorError, catalog.CatalogError) as error:
            raise SettingsError(f"{path}: {key}: {error}") from None
    return settings


def targets_from(text: str) -> dict[str, tuple[int, ...]]:
    """Return the versions in the command line's `nginx=1.26,haproxy=3.0`. Raises SettingsError."""
    from lbcheck.settings_keys import KeyProblemError, targets

    pairs = dict(item.partition("=")[::2] for item in text.split(",") if item.strip())
    try:
        return targets({product.strip(): version.strip() for product, version in pairs.items()})
    except KeyProblemError as error:
        raise SettingsError(f"--target: {error}") from None
