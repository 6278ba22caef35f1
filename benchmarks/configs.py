"""Configs of any size for the benchmarks: regular, valid for the real proxies, with one known number of servers."""

from __future__ import annotations


def nginx(pools: int, servers: int) -> str:
    """An nginx.conf with `pools` upstreams of `servers` each, every one of them routed."""
    lines = [
        "worker_processes auto;",
        "events { worker_connections 8192; }",
        "http {",
        "    proxy_http_version 1.1;",
        '    proxy_set_header Connection "";',
        "    server_names_hash_max_size 262144;",
    ]
    for pool in range(pools):
        lines += [f"    upstream pool{pool} {{", f"        zone pool{pool} 256k;", "        least_conn;"]
        lines += [
            f"        server 10.{pool >> 8}.{pool & 255}.{n + 1}:8080 max_fails=3 fail_timeout=10s;"
            for n in range(servers)
        ]
        lines += [
            "        keepalive 32;",
            "    }",
            "    server {",
            "        listen 8080;",
            f"        server_name s{pool}.example.com;",
            "        location / {",
            "            proxy_set_header Host $host;",
            '            proxy_set_header Connection "";',
            f"            proxy_pass http://pool{pool};",
            "        }",
            "    }",
        ]
    return "\n".join([*lines, "}", ""])


def haproxy(pools: int, servers: int) -> str:
    """A haproxy.cfg with `pools` backends of `servers` each, every one of them routed."""
    lines = [
        "global",
        "    maxconn 20000",
        "defaults",
        "    mode http",
        "    balance roundrobin",
        "    option httpchk GET /healthz",
        "    timeout connect 5s",
        "    timeout client 30s",
        "    timeout server 30s",
        "frontend web",
        "    bind 127.0.0.1:8080",
    ]
    lines += [f"    use_backend pool{pool} if {{ hdr(host) -i s{pool}.example.com }}" for pool in range(pools)]
    lines.append("    default_backend pool0")
    for pool in range(pools):
        lines.append(f"backend pool{pool}")
        lines += [
            f"    server s{n} 10.{pool >> 8}.{pool & 255}.{n + 1}:8080 check inter 5s fall 3 rise 2"
            for n in range(servers)
        ]
    return "\n".join([*lines, ""])


SMALL_NGINX = """\
events {}
http {
    upstream app {
        zone app 64k;
        server 10.0.0.1:8080 max_fails=3 fail_timeout=10s;
        server 10.0.0.2:8080 max_fails=3 fail_timeout=10s;
    }
    server {
        listen 80;
        server_name example.com;
        location / {
            proxy_pass http://app;
            proxy_set_header Host $host;
        }
    }
}
"""
