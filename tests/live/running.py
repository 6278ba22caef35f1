"""A config's text, probed in this process."""

from __future__ import annotations

from lbcheck.dialects import dialect
from lbcheck.files import DiskFiles
from lbcheck.live.here import Here
from lbcheck.live.plan import plan, reported
from lbcheck.live.probe import Wishes, probe


def planned(text, name="haproxy", path=None, root=None):
    """Return the plan of one config."""
    path = path or {"nginx": "nginx.conf", "envoy": "envoy.yaml", "native": "lb.yaml"}.get(name, "haproxy.cfg")
    (config,) = dialect(name).read([path], DiskFiles(memory={path: text}))
    assert not config.hits, [(hit.code, hit.args) for hit in config.hits]
    return plan(config, Here(root))


def probed(text, name="haproxy", path=None, root=None, **wishes):
    """Return pool → list of its servers' verdicts."""
    pools = planned(text, name, path, root)
    targets = [one.target for pool in pools for one in pool.servers if one.target is not None]
    verdicts = probe(targets, Wishes(**{"timeout": 3, **wishes}))
    found = [reported(pool, verdicts) for pool in pools]
    return {pool.name: [server.verdict for server in pool.servers] for pool in found}
