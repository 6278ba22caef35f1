"""Containers as a Compose project describes them, as plain data for every dialect that meets them.

Compose makes them, Traefik reads its configuration off their labels and arguments, and all other dialects look their
servers' names up among them. So none of these packages needs to know another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.model import Admin
    from lbcheck.text import Source, Span
    from lbcheck.world import World


class Text(NamedTuple):
    """Something that was written: its value, and its place."""

    value: str
    span: Span


class Label(NamedTuple):
    """A label, or a variable of the environment: its name and its value, `$$` read as `$`."""

    key: Text
    value: Text


class Mount(NamedTuple):
    """A file or folder of the host, relative to the Compose file, and where it is in the container."""

    source: str
    target: str


class Container(NamedTuple):
    """One Compose service. `replicas` is None where it is not known; `networks` are the keys of `networks:`.

    `mode` is its `network_mode`, "" where none is written. `ports` are the container's ports as `expose:` and
    `ports:` have them. `published` are those of them that the host has too, None where not all of them are known.
    `environment` are the variables that the file sets, `profiles` those of which one must be active for it to run.
    `checked` says that the file writes a health check for it. `elsewhere` is what it extends in another file.
    """

    name: str
    span: Span
    image: str
    labels: tuple[Label, ...]
    arguments: tuple[Text, ...]
    networks: tuple[str, ...]
    mode: str
    mounts: tuple[Mount, ...]
    ports: tuple[int, ...]
    replicas: int | None
    published: frozenset[int] | None
    environment: tuple[Label, ...]
    profiles: tuple[str, ...]
    checked: bool
    elsewhere: Text | None = None


class Containers(NamedTuple):
    """A project: its containers by name, the world that they make, and its own name; None if none is written."""

    source: Source
    by_name: dict[str, Container]
    world: World
    name: str | None = None


def note_published(admins: Iterable[Admin], proxy: Container | None) -> None:
    """Note which of the doors of a proxy that runs in a container only other containers reach."""
    published = None if proxy is None else proxy.published
    for admin in admins:
        if published is not None and admin.address is not None and admin.address.port is not None:
            admin.published = admin.address.port in published
