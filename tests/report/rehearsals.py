"""Rehearsals as reports get them: one that came out as predicted, one that did not, one that never began."""

from __future__ import annotations

from lbcheck.rehearsal.outcome import (
    CYCLES,
    TOLERATED,
    Aspect,
    Concurrent,
    MeasuredLoss,
    MeasuredPool,
    MeasuredReload,
    MeasuredServer,
    Message,
    Rehearsed,
    Rewrite,
)

SERVERS = (
    MeasuredServer("a", "10.0.0.1:80", 160, 2 / 3, 2 / 3, 1.0),
    MeasuredServer("b", "10.0.0.2:80", 80, 1 / 3, 1 / 3, 1.0),
)
AS_PREDICTED = MeasuredLoss(
    "a",
    "refuses",
    1,
    (Aspect("detection", True), Aspect("failed requests", True, p_value=0.7), Aspect("shares", True, None, CYCLES)),
    requests=500,
    failed=61,
    failed_share=0.51,
    predicted_failed_share=0.5,
    detection_s=4.2,
    predicted_detection_s=6.0,
    last_failure_s=1.8,
    recovery_s=3.4,
    backups=True,
    servers=SERVERS,
)
LATE = AS_PREDICTED._replace(
    lost="b",
    alike=3,
    aspects=(
        Aspect("detection", False, "not noticed within 7.5 s"),
        Aspect("failed requests", None, "which requests fail is not predicted"),
        Aspect("shares", True, "", TOLERATED),
    ),
    detection_s=None,
)
UNPLAYED = MeasuredLoss("c", "hangs", 1, reason="a unix socket cannot be made to hang")
APP = MeasuredPool(
    "app", "lb/haproxy.cfg", 12, "roundrobin", CYCLES, True, None, 240, 0, SERVERS,
    losses=(AS_PREDICTED, LATE, UNPLAYED), concurrent=Concurrent(8, 240, 0.2, 1.0, True),
)  # fmt: skip
API = MeasuredPool(
    "api", "lb/haproxy.cfg", 20, "leastconn", CYCLES, False, "counted [3, 1] where [2, 2] were predicted", 4, 1,
    SERVERS, concurrent=Concurrent(8, 240, 3.4, 1.0, False, "a share is 3.4 points off"),
)  # fmt: skip
UNREACHED = MeasuredPool(
    "old <b>", "lb/haproxy.cfg", 30, "random", None, None, "no request is known that reaches it", 0, 0,
    (MeasuredServer("\x1b[31mred", "10.0.0.3:80", 0, 0.0, None),),
)  # fmt: skip
WORKED = Rehearsed(
    "lb/haproxy.cfg",
    "haproxy",
    accepted=True,
    native=(Message(None, None, "Configuration file is valid"),),
    pools=(APP, API, UNREACHED),
    rewrites=(Rewrite("lb/haproxy.cfg", 2, "daemon", "", "lbcheck has to see when HAProxy ends"),),
    made_up=("/etc/nowhere/site.pem",),
    reload=MeasuredReload("old/haproxy.cfg", False, "2 of 227 requests were lost", 227, 1, 1, 0.1, (APP,)),
)
REFUSED = Rehearsed("nginx.conf", "nginx", native=(Message("nginx.conf", 8, 'invalid parameter "wieght=3"'),))
CODE = Rehearsed("lua.conf", "nginx", error="it loads or runs code; --trust-config lets it")
ALL = (WORKED, REFUSED, CODE)
FINE = (WORKED._replace(pools=(APP._replace(losses=(AS_PREDICTED,)),), reload=None),)
