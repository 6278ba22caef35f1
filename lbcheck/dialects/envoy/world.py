"""What the resources of one Envoy have in common while they are turned into a config."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.message import Message
    from lbcheck.model import Config, Pool


class World:
    """The config in the making, its pools and route configurations by name, and what control planes decide.

    `routes_open`: route configurations come from where nobody looked, so that any cluster may be in use.
    """

    __slots__ = ("config", "pools", "route_configs", "routes_open")

    def __init__(self, config: Config) -> None:
        self.config = config
        self.pools: dict[str, Pool] = {}
        self.route_configs: dict[str, Message] = {}
        self.routes_open = False
