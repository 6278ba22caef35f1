"""What the resources of one Envoy have in common while they are turned into a config."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.message import Message
    from lbcheck.model import Config, Pool


class World:
    """The config in the making, its pools and route configurations by name, and what control planes decide.

    `members` are for a cluster whose requests go to others the names of these, in order of writing. `routes_open`:
    route configurations come from where nobody looked, so that any cluster may be in use. `hands_over`: a listener may
    hand connections over to others.
    """

    __slots__ = ("config", "hands_over", "members", "pools", "route_configs", "routes_open")

    def __init__(self, config: Config) -> None:
        self.config = config
        self.pools: dict[str, Pool] = {}
        self.members: dict[str, list[str]] = {}
        self.route_configs: dict[str, Message] = {}
        self.routes_open = False
        self.hands_over = False

    def behind(self, name: str) -> list[Pool]:
        """Return the pools to which a cluster hands its requests on, those behind others of this kind too."""
        names = list(self.members.get(name, ()))
        for one in names:
            names += [further for further in self.members.get(one, ()) if further not in names]
        return [self.pools[one] for one in dict.fromkeys(names) if one in self.pools and one != name]
