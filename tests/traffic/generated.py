"""Whole configs made at random, for properties that hold of every config."""

from __future__ import annotations

from hypothesis import strategies as st

NGINX_METHODS = [
    "",
    "least_conn;",
    "random;",
    "random two;",
    "ip_hash;",
    "hash $uri;",
    "hash $uri consistent;",
    "hash fixed;",
]
BALANCE = [
    "balance roundrobin",
    "balance static-rr",
    "balance leastconn",
    "balance first",
    "balance random",
    "balance random(1)",
    "balance source",
    "balance source\n  hash-type consistent",
    "balance uri\n  hash-type consistent sdbm avalanche",
    "balance uri\n  hash-type map-based djb2",
    "balance hdr(x)\n  hash-type consistent crc32",
    "balance hash path",
    "option allbackups",
]
NATIVE = ["round_robin", "least_connections", "random", "hash", "hash_consistent"]

WEIGHTS = st.one_of(st.just(1), st.integers(1, 10), st.integers(1, 100), st.just(256))
ROLES = st.sampled_from(["", "", "", "", "backup", "down"])
MEMBERS = st.lists(st.tuples(WEIGHTS, ROLES), min_size=1, max_size=8)


@st.composite
def nginx(draw):
    pools, routes = [], []
    for number in range(draw(st.integers(1, 4))):
        method = draw(st.sampled_from(NGINX_METHODS))
        members = draw(MEMBERS)
        lines = []
        for at, (weight, role) in enumerate(members):
            refused = role == "backup" and method not in {"", "least_conn;"}
            lines.append(f"    server 10.{number}.0.{at}:8080 weight={weight} {'' if refused else role};")
        if not any(role != "backup" for _, role in members):
            lines.append(f"    server 10.{number}.1.1:8080;")
        body = "\n".join(lines)
        pools.append(f"  upstream pool{number} {{\n    {method}\n{body}\n  }}")
        routes.append(f"    location /{number} {{ proxy_pass http://pool{number}; }}")
    parts = draw(st.lists(st.integers(1, 30), min_size=1, max_size=len(pools)))
    split = " ".join(f"{part}% pool{number};" for number, part in enumerate(parts[:3]))
    last = "* pool0;" if draw(st.booleans()) else ""
    server = f"  server {{\n    listen 127.0.0.1:8080;\n{chr(10).join(routes)}\n  }}"
    other = "  server {\n    listen 127.0.0.1:8081;\n    location / { proxy_pass http://$side; }\n  }"
    inside = "\n".join([f"  split_clients $remote_addr $side {{ {split} {last} }}", *pools, server, other])
    return f"events {{}}\nhttp {{\n{inside}\n}}\n"


@st.composite
def haproxy(draw):
    text = ["defaults\n  mode http\nfrontend web\n  bind 127.0.0.1:8080"]
    count = draw(st.integers(1, 4))
    text += [f"  use_backend pool{number} if {{ path_beg /{number} }}" for number in range(1, count)]
    text += ["  default_backend pool0"]
    for number in range(count):
        text.append(f"backend pool{number}\n  {draw(st.sampled_from(BALANCE))}")
        for at, (weight, role) in enumerate(draw(MEMBERS)):
            words = {"": "", "backup": "backup", "down": "disabled"}[role]
            text.append(f"  server s{at} 10.{number}.0.{at}:8080 check weight {weight - 1} {words}")
    return "\n".join(text) + "\n"


@st.composite
def native(draw):
    text = ["lbcheck: v1", "frontends:", "  - {name: web, listen: '127.0.0.1:8080', default_pool: pool0}", "pools:"]
    for number in range(draw(st.integers(1, 3))):
        algorithm = draw(st.sampled_from(NATIVE))
        text += [f"  - name: pool{number}", f"    algorithm: {algorithm}"]
        text += ["    key: path"] * algorithm.startswith("hash") + ["    servers:"]
        for at, (weight, role) in enumerate(draw(MEMBERS)):
            words = {"": "", "backup": ", role: backup", "down": ", state: down"}[role]
            text.append(f"      - {{address: '10.{number}.0.{at}:80', weight: {weight}, capacity: {at + 1}{words}}}")
    return "\n".join(text) + "\n"


#: (dialect, path, text) of a config.
CONFIGS = st.one_of(
    st.tuples(st.just("nginx"), st.just("nginx.conf"), nginx()),
    st.tuples(st.just("haproxy"), st.just("haproxy.cfg"), haproxy()),
    st.tuples(st.just("native"), st.just("lb.yaml"), native()),
)
