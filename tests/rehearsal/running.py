"""Rehearsals of configs that are written in a test."""

from __future__ import annotations

from lbcheck import project
from lbcheck.project import Request
from lbcheck.rehearsal.planning.wishes import Wishes
from lbcheck.rehearsal.rehearse import rehearse
from lbcheck.report import rehearse_text
from lbcheck.report.options import Options


def configs(folder, case):
    """Return the configs of a case, (name, text), that is written into a folder."""
    name, text = case
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return list(project.configs(project.prepare(Request((str(folder / name),)))))


def rehearsed(folder, case, *, losses=False, old=None, **wishes):
    """Return what a rehearsal of a case came to: normal operation only, unless servers are to be lost."""
    (config,) = configs(folder, case)
    before = configs(folder / "old", old)[0] if old is not None else None
    return rehearse(config, Wishes(losses=losses, **wishes), old=before)


def told(found):
    """Return what a rehearsal came to in words, for assertions that fail."""
    return rehearse_text.render([found], Options())
