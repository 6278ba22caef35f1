"""Traffic runs and diffs made by hand, for the tests of what draws them."""

from __future__ import annotations

from lbcheck.changes.outcome import ADDED, CHANGED, REMOVED, UNCHANGED, Changes, PoolChange, ServerChange
from lbcheck.model import BACKUP, PRIMARY, Algorithm, Pool
from lbcheck.results import Finding, Note, Place
from lbcheck.text import Source
from lbcheck.traffic.outcome import (
    FAIR,
    HOT,
    IDLE,
    STARVED,
    UNKNOWN,
    FrontendTraffic,
    Loss,
    PoolTraffic,
    RouteTraffic,
    ServerTraffic,
    Survivor,
    TargetTraffic,
    Traffic,
)

#: A server with more than so many times its fair share is hot here, with less than so much of it starved.
TOO_MUCH, TOO_LITTLE = 1.5, 0.5


def server(name, share, *, fair=None, address=None, standing=None, alike=1, **fields):
    """One server; its standing by how far its share is from the fair one, unless it is given."""
    if standing is None:
        ratio = share / fair if share is not None and fair else None
        standing = UNKNOWN if share is None else FAIR
        if ratio is not None:
            standing = HOT if ratio >= TOO_MUCH else STARVED if ratio <= TOO_LITTLE else FAIR
    given = {"role": PRIMARY, "weight": 1, "enabled": True, "zone": None, "line": 1, **fields}
    return ServerTraffic(name=name, address=address or name, alike=alike, share=share, standing=standing, **given)


def backup(name):
    return server(name, 0.0, standing=IDLE, role=BACKUP)


def weighted(weights, prefix="s", network=1):
    """Servers that get their weights' parts, as round robin gives them."""
    parts = sum(weights)
    return [
        server(
            f"{prefix}{number}",
            weight / parts,
            fair=1 / len(weights),
            address=f"10.0.{network}.{10 + number}:8080",
            weight=weight,
            line=number,
        )
        for number, weight in enumerate(weights, 1)
    ]


def pool(name, servers, *, config="haproxy.cfg", algorithm="roundrobin", dialect="haproxy", losses=(), **fields):
    place = Source(config, name).span(0, len(name))
    model = Pool(name, place, [], Algorithm(algorithm))
    fields = {"unserved": None if fields.get("reason") else 0.0, **fields}
    return PoolTraffic(
        model,
        path=config,
        line=1,
        config=config,
        dialect=dialect,
        servers=tuple(servers),
        losses=lambda: list(losses),
        **fields,
    )


def unknown_pool(name, reason, members=(), **fields):
    return pool(name, [server(each, None) for each in members], reason=reason, **fields)


def loss(lost, survivors, *, failed=None, detection_s=6.0, detection="3 checks, one every 2 s", **fields):
    """What losing a server does; `survivors` are (name, share) of the whole pool in order."""
    given = {"alike": 1, "kind": "refuses", "delay_s": None, "unserved": 0.0, "never": detection_s is None, **fields}
    return Loss(
        lost=lost,
        names=(lost,),
        detection_s=detection_s,
        detection=detection,
        failed_share=failed,
        servers=tuple(Survivor(name, name, share) for name, share in survivors),
        **given,
    )


def route(match, *targets, share=None, outcome="pools", **fields):
    """A route; a target is (pool's name, its place, share of the route)."""
    return RouteTraffic(match, 1, share, outcome, tuple(TargetTraffic(*target) for target in targets), **fields)


def frontend(name, *routes, listeners=("0.0.0.0:80",), hosts=(), config="haproxy.cfg", unserved=0.0, dialect="haproxy"):
    return FrontendTraffic(config, 1, config, dialect, name, tuple(listeners), tuple(hosts), tuple(routes), unserved)


def run(pools, frontends=(), **fields):
    return Traffic(frontends, pools, configs=fields.pop("configs", 1), **fields)


def shop_pools(config, dialect, algorithm):
    """The pools of fixtures/outage/before."""
    fields = {"config": config, "dialect": dialect, "algorithm": algorithm}
    shop = weighted([10, 1, 1], "shop", 1)
    checkout = weighted([99, 1], "checkout", 2)
    catalog = weighted([1, 1], "catalog", 3)
    return [
        pool(
            "shop",
            shop,
            losses=[
                loss("shop1", [("shop1", 0.0), ("shop2", 0.5), ("shop3", 0.5)], failed=10 / 12),
                loss("shop2", [("shop1", 10 / 11), ("shop2", 0.0), ("shop3", 1 / 11)], failed=1 / 12),
            ],
            **fields,
        ),
        pool(
            "checkout",
            checkout,
            losses=[loss("checkout1", [("checkout1", 0.0), ("checkout2", 1.0)], failed=0.99)],
            **fields,
        ),
        pool(
            "catalog",
            catalog,
            losses=[
                loss(
                    "catalog2",
                    [("catalog1", 0.5), ("catalog2", 0.5)],
                    failed=0.5,
                    detection_s=None,
                    detection="never: it is not checked",
                )
            ],
            **fields,
        ),
        pool("shop_v2", weighted([1, 1], "shop", 4), **fields),
    ]


def shop_frontend(config, dialect, first=0, name="web", hosts=()):
    return frontend(
        name,
        route("/checkout/", ("checkout", first + 1, 1.0)),
        route("/catalog/", ("catalog", first + 2, 1.0)),
        route("", ("shop", first, 1.0)),
        config=config,
        dialect=dialect,
        hosts=hosts,
        unserved=None,
    )


def outage():
    """What `lbcheck traffic fixtures/outage/before` says."""
    haproxy, nginx = "fixtures/outage/before/haproxy.cfg", "fixtures/outage/before/nginx.conf"
    pools = shop_pools(haproxy, "haproxy", "roundrobin") + shop_pools(nginx, "nginx", "round_robin")
    doors = [
        shop_frontend(haproxy, "haproxy"),
        shop_frontend(nginx, "nginx", 4, "shop.example.com", ("shop.example.com",)),
    ]
    return run(pools, doors, configs=2)


def of_size(count, weights=None):
    """One pool behind one route: `count` servers, a few of them far from the rest."""
    weights = weights or [20 if number == count // 3 else 1 if number % 17 == 3 else 6 for number in range(count)]
    made = pool(f"pool of {count}", weighted(weights, "app", 7))
    return run([made], [frontend("web", route("", ("app", 0, 1.0), share=1.0))])


def mixed():
    """Known and unknown shares, splits, overload, a dead pool, a pool whose members nobody knows, answers, riddles."""
    api = [
        server("api-a.internal:9000", 0.5, fair=0.5, load=180.0, capacity=100.0),
        server("api-b.internal:9000", 0.5, fair=0.5, load=180.0, capacity=400.0),
        backup("api-c.internal:9000"),
    ]
    pools = [
        pool("api", api, config="nginx.conf", algorithm="least_conn", exact=False, seed=1, stderr=0.0031, demand=360.0),
        pool("api_canary", weighted([1, 1], "canary", 5), config="nginx.conf"),
        unknown_pool(
            "sessions",
            "its servers come from a template loop: {% for host in hosts %}",
            ["10.0.9.1:80", "10.0.9.2:80", "10.0.9.3:80"],
            config="nginx.conf",
        ),
        pool("graveyard", [backup("old1:80"), backup("old2:80")], config="nginx.conf", unserved=1.0),
    ]
    split = (("api", 0, 0.95), ("api_canary", 1, 0.05))
    doors = [
        frontend(
            "shop.example.com",
            route("/", *split, share=0.8),
            route("/old/", ("graveyard", 3, 1.0), share=0.05),
            route("/health", share=0.15, outcome="answer"),
            config="nginx.conf",
            listeners=("0.0.0.0:443 ssl", "[::]:443 ssl"),
            hosts=("shop.example.com", "www.shop.example.com"),
            unserved=0.05,
        ),
        frontend(
            "admin.example.com",
            route("/session", ("sessions", 2, 1.0)),
            route("~ ^/plugin/(.*)$", outcome="unknown", reason="$plugin_host is set by a Lua block"),
            route("/metrics", ("prometheus", None, 1.0)),
            route("/beta", *split),
            config="nginx.conf",
            listeners=("127.0.0.1:8443",),
            unserved=None,
        ),
    ]
    return run(pools, doors)


def long_names(length=10_000):
    """Names of any length in every place that has one."""
    name = "a-very-long-name-" * (length // 17 + 1)
    members = [server(f"{name}{number}", share, fair=0.5, address=name) for number, share in enumerate((0.9, 0.1))]
    pools = [pool(name, members, config=name), unknown_pool(name, name, [name, name], config=name)]
    doors = [
        frontend(
            name,
            route(name, (name, 0, 1.0), share=0.5),
            route(name, (name, 1, 1.0), share=0.5),
            config=name,
            listeners=(name, name),
            hosts=(name,),
        )
    ]
    return run(pools, doors)


def change(before, after, *, reason=None, keys_moved=None, renamed_from=None):
    """What changed between two pools of this module, servers paired by address; None on a side: no such pool."""
    sides = [{} if side is None else {each.address: each for each in side.servers} for side in (before, after)]
    lines = []
    for address in dict.fromkeys([*sides[0], *sides[1]]):
        old, new = sides[0].get(address), sides[1].get(address)
        shares = (old and old.share, new and new.share)
        status = ADDED if old is None else REMOVED if new is None else UNCHANGED if shares[0] == shares[1] else CHANGED
        was = old.name if old and new and old.name != new.name else None
        lines.append(ServerChange((new or old).name, address, *shares, status, was))
    moved = None
    if reason is None and before is not None and after is not None:
        moved = sum(abs((line.before or 0.0) - (line.after or 0.0)) for line in lines) / 2
    status = ADDED if before is None else REMOVED if after is None else CHANGED if moved != 0.0 else UNCHANGED
    shown = after or before
    return PoolChange(
        shown.name,
        renamed_from,
        shown.path,
        shown.config,
        shown.dialect,
        shown.protocol,
        status,
        moved,
        tuple(lines),
        keys_moved,
        reason,
        before,
        after,
    )


def finding(code="D01", name="weight-skew", message="server shop1 of pool shop gets 83.3 % of its traffic", **fields):
    given = {
        "severity": "warning",
        "help": "give it a weight near 1",
        "fingerprint": code,
        "dialect": "haproxy",
        **fields,
    }
    place = Place("haproxy.cfg", 20, 5, 20, 40, 300, 335, "    server shop1 10.0.1.11:8080 check weight 10")
    return Finding(
        code=code, name=name, message=message, place=given.pop("place", place), config="haproxy.cfg", **given
    )


def mended():
    """What `lbcheck diff fixtures/outage/before fixtures/outage/after` says of its HAProxy config."""
    old, new = "fixtures/outage/before/haproxy.cfg", "fixtures/outage/after/haproxy.cfg"
    before = shop_pools(old, "haproxy", "roundrobin")
    sizes = (("shop", 3, 1), ("checkout", 2, 2), ("catalog", 2, 3))
    after = [pool(name, weighted([1] * count, name, network), config=new) for name, count, network in sizes]
    changes = [change(*sides) for sides in zip(before, [*after, None], strict=True)]
    return Changes(
        run(before, [shop_frontend(old, "haproxy")]),
        run(after, [shop_frontend(new, "haproxy")]),
        changes,
        None,
        introduced=[finding("P07", "pool-unused", "pool shop_v2 is never used: no route leads to it", severity="info")],
        fixed=[finding(), finding("H03", "hc-partial", "server catalog2 of pool catalog is not checked")],
        unchanged=3,
    )


def grown(count):
    """A hash pool that gains a fifth of its servers and loses two, so that nearly every share changes a little."""
    old = weighted([1] * count, "app", 7)
    new = [server(each.name, 0.0, address=each.address, fair=0.1) for each in old[2:]]
    new += weighted([1] * (count // 5 + 1), "new", 8)
    new = [
        each._replace(
            share=1 / len(new) * (3 if at == 4 else 1 - 2 / (len(new) - 1)), standing=HOT if at == 4 else FAIR
        )
        for at, each in enumerate(new)
    ]
    sides = [pool("app", old, algorithm="uri"), pool("app", new, algorithm="uri")]
    doors = [frontend("web", route("", ("app", 0, 1.0), share=1.0))]
    return Changes(
        run(sides[:1], doors), run(sides[1:], doors), [change(*sides, keys_moved=0.27)], change(*sides).moved
    )


def puzzling():
    """A diff with everything: a canary that grows, a side that nobody knows, a pool that is new, one renamed."""
    old = [
        pool("stable", weighted([1, 1], "a", 1)),
        pool("canary", weighted([1], "c", 2)),
        pool("sessions", weighted([1, 1], "s", 3)),
        pool("legacy", weighted([2, 1], "l", 4)),
    ]
    reason = "its servers come from a state file"
    new = [
        pool("stable", weighted([1, 1], "a", 1)),
        pool("canary", weighted([1], "c", 2)),
        unknown_pool("sessions", reason, ["s1"]),
        pool("modern", [each._replace(name=f"m{at}") for at, each in enumerate(weighted([1, 1], "l", 4))]),
        pool("fresh", weighted([5, 1], "f", 5)),
    ]
    changes = [
        change(old[0], new[0]),
        change(old[1], new[1]),
        change(old[2], new[2], reason=reason),
        change(old[3], new[3], renamed_from="legacy"),
        change(None, new[4]),
    ]

    def doors(part, extra=()):
        split = (("stable", 0, 1 - part), ("canary", 1, part))
        session = route("/session", ("sessions", 2, 1.0), share=0.2)
        return [
            frontend("web", route("/", *split, share=0.5), session, route("/l", ("legacy", 3, 1.0), share=0.3), *extra)
        ]

    extra = [route("/fresh", ("fresh", 4, 1.0), share=0.0)]
    return Changes(run(old, doors(0.02)), run(new, doors(0.5, extra)), changes, 0.25)


#: What a name may hold to break out of a report, run in a browser, or steer a terminal.
EVIL = (
    "<script>alert(1)</script>",
    "</title></text></svg><script>alert(2)</script>",
    "\"><img src=x onerror=alert(3)>'",
    "&lt;b&gt;&#60;{{7*7}}{% raw %}",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eevil\u2066 \u200b\u200f",
    "`x` | [a](javascript:alert(4)) @octocat #1 **b** ~~~",
    "end\n```\n## forged\r\n::error::x",
    'a]-->b["c"]; click a "javascript:alert(5)"; %%{init: {}}%%',
    "\udcff\ufffe\ufdfd e" + "\u0301" * 30,
    "-->]]>--!><!--",
)


def hostile():
    """A run in which every name is hostile."""
    pools, routes = [], []
    for at, name in enumerate(EVIL):
        shares = ((name, 0.9), (EVIL[at - 1], 0.1))
        members = [server(f"{each}{at}", share, fair=0.5, address=each) for each, share in shares]
        reason = name if at % 3 == 2 else None
        fields = {"config": EVIL[at % 2], "algorithm": name, "reason": reason}
        if reason:
            members = [each._replace(share=None, standing=UNKNOWN) for each in members]
        pools.append(pool(name, members, losses=[loss(name, [(name, 1.0)], failed=0.9, detection=name)], **fields))
        routes.append(route(name, (name, at, 1.0), share=1 / len(EVIL)))
    routes += [route(name, (name, None, 1.0), share=0.0) for name in EVIL[:1]]
    routes += [route(name, outcome="unknown", reason=name, share=0.0) for name in EVIL[:2]]
    doors = [frontend(name, *routes, config=EVIL[0], listeners=EVIL, hosts=EVIL) for name in EVIL[:2]]
    notes = [Note(finding().place._replace(path=name), name) for name in EVIL]
    return run(pools, doors, not_checked=notes)


def hostile_diff():
    """A diff in which every name is hostile."""
    before, after = hostile(), hostile()
    changes = []
    for at, (old, new) in enumerate(zip(before.pools, after.pools, strict=True)):
        sides = (None, new) if at == 0 else (old, None) if at == 1 else (old, new)
        changes.append(change(*sides, reason=old.reason, renamed_from=EVIL[at] if at > 4 else None))
    findings = [finding(name, name, name, help=name, pool=name, url="https://example.org/") for name in EVIL]
    return Changes(before, after, changes, 0.5, introduced=findings, fixed=findings, unchanged=3)


#: The runs and diffs that every picture is tried with.
RUNS = {
    "outage": outage,
    "mixed": mixed,
    "long names": long_names,
    "hostile": hostile,
    "2 servers": lambda: of_size(2, [5, 1]),
    "12 servers": lambda: of_size(12),
    "200 servers": lambda: of_size(200),
    "nothing": lambda: run([]),
}
DIFFS = {
    "mended": mended,
    "10 servers": lambda: grown(10),
    "200 servers": lambda: grown(200),
    "puzzling": puzzling,
    "hostile": hostile_diff,
}
