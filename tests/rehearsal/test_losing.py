"""How losses are played: long enough to see what is predicted of them."""

from __future__ import annotations

import pytest
from rehearsal.configs import haproxy, nginx
from rehearsal.running import configs

from lbcheck.rehearsal.planning.losing import trials
from lbcheck.rehearsal.planning.plan import plan
from lbcheck.traffic import assemble
from lbcheck.traffic.algorithms import MAX_RING_POINTS
from lbcheck.traffic.scenario import HANGS, REFUSES, Scenario

UNCHECKED = haproxy("listen app\n    bind :80\n    server a 10.0.0.1:80\n    server b 10.0.0.2:80\n")
SERVER = "server { listen 80; location / { proxy_pass http://app; } }"
ALONE = nginx(f"    upstream app {{ server 10.0.0.1:80; }}\n    {SERVER}")


def trial(folder, case, kind=REFUSES, patience=120.0):
    """Return the first loss of a config."""
    (config,) = configs(folder, case)
    made = plan(config)
    traffic = assemble.traffic(config, Scenario(kind=kind, exact_points=MAX_RING_POINTS))
    return trials(config, made, traffic, kind, patience)[0]


@pytest.mark.parametrize("case", [UNCHECKED, ALONE], ids=["haproxy", "nginx"])
@pytest.mark.parametrize("kind", [REFUSES, HANGS])
def test_a_loss_that_nobody_notices_is_watched_until_requests_that_met_it_are_over(tmp_path, case, kind):
    found = trial(tmp_path, case, kind)
    assert found.play.notice >= found.stall + 2
    assert trial(tmp_path, case, kind, patience=1.0).play.notice == 1.0


@pytest.mark.parametrize(
    ("balance", "varied"),
    [("roundrobin", ["source", ""]), ("random", ["source", ""]), ("source", ["source"]), ("rdp-cookie", [""])],
)
def test_clients_have_many_addresses_where_these_do_not_count(tmp_path, balance, varied):
    """So no limit for each of them stands in the way; where none gets through so, they come from one."""
    name, text = UNCHECKED
    (config,) = configs(tmp_path, (name, f"{text}    mode tcp\n    balance {balance}\n"))
    assert [load.vary for load in plan(config).loads] == varied
