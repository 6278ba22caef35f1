"""Dynamic files that are right but for one field, which holds all kinds of values."""

from __future__ import annotations

HTTP = "http:\n  services:\n    s:\n"
TCP = "tcp:\n  services:\n    s:\n"
BALANCER = HTTP + "      loadBalancer:\n        servers: [{url: 'http://a'}]\n"
TCP_BALANCER = TCP + "      loadBalancer:\n        servers: [{address: 'a:1'}]\n"
ROUTER = "http:\n  routers:\n    r:\n      rule: Host(`a`)\n      service: s\n"
TCP_ROUTER = "tcp:\n  routers:\n    r:\n      rule: HostSNI(`*`)\n      service: s\n"

#: By shape of lbcheck.dialects.traefik.schema: the text before the field.
BEFORE = {
    "http": "http:\n  ",
    "http router": ROUTER + "      ",
    "tls": ROUTER + "      tls:\n        ",
    "tcp router": TCP_ROUTER + "      ",
    "tcp tls": TCP_ROUTER + "      tls:\n        ",
    "udp router": "udp:\n  routers:\n    r:\n      service: s\n      ",
    "http service": HTTP + "      ",
    "http balancer": BALANCER + "        ",
    "http server": HTTP + "      loadBalancer:\n        servers:\n        - url: 'http://a'\n          ",
    "health check": BALANCER + "        healthCheck:\n          path: /\n          ",
    "passive": BALANCER + "        passiveHealthCheck:\n          ",
    "sticky": BALANCER + "        sticky:\n          ",
    "cookie": BALANCER + "        sticky:\n          cookie:\n            name: c\n            ",
    "weighted": HTTP + "      weighted:\n        services: [{name: a}]\n        ",
    "child": HTTP + "      weighted:\n        services:\n        - name: a\n          ",
    "mirroring": HTTP + "      mirroring:\n        service: a\n        ",
    "mirror": HTTP + "      mirroring:\n        service: a\n        mirrors:\n        - name: b\n          ",
    "failover": HTTP + "      failover:\n        service: a\n        fallback: b\n        ",
    "tcp service": TCP + "      ",
    "tcp balancer": TCP_BALANCER + "        ",
    "tcp server": TCP + "      loadBalancer:\n        servers:\n        - address: 'a:1'\n          ",
    "tcp health check": TCP_BALANCER + "        healthCheck:\n          ",
    "udp balancer": TCP_BALANCER.replace("tcp:", "udp:") + "        ",
}  # fmt: skip
#: Values by what a field wants; of any other field the last ones.
VALUES = {
    "!int": ["5", "'5'", "5.0", "5.5", "heavy", "true", "''", "0x10", "1_000", "null", "[]", "{}", "1e3", "9" * 20,
             "-5", "+5", "' 5'", "0o17", "0b11", "010"],
    "!bool": ["true", "'true'", "yes", "on", "1", "0", "'t'", "maybe", "''", "null", "2", "[]", "{}", "TRUE", "tRUE"],
    "!time": ["5s", "'5'", "5", "5.5", "1m30s", "5 s", "fast", "''", "null", "1d", "-5s", "1h2", "500ms", "5S", "[]",
              "{}", "1.5s", ".5s", "5us"],
}  # fmt: skip
ANY = ["x", "5", "true", "null", "''", "[]", "{}", "[a]", "{a: b}"]
#: Fields whose values are not looked into, or that came with a later version than is built.
NOT_JUDGED = {("failover", "errors"), ("http service", "middlewares"), ("child", "status"), ("child", "grpcStatus"),
              ("http server", "fenced"), ("http router", "observability")}  # fmt: skip


def mutations(shapes):
    """Yield (shape, field, value, text) for every value of every field."""
    for shape, before in BEFORE.items():
        for field, wanted in {**shapes[shape], "nonsense": None}.items():
            if not field.startswith("\0") and f"{field}:" not in before and (shape, field) not in NOT_JUDGED:
                for value in VALUES.get(wanted, ANY):
                    yield shape, field, value, f"{before}{field}: {value}\n"
