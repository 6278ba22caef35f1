"""Configs to rehearse: what they are made of, and the pools that have to come out as predicted."""

from __future__ import annotations

NGINX = """\
user nobody;
worker_processes auto;
pid /run/elsewhere/nginx.pid;
error_log /srv/logs/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log /srv/logs/access.log;
{body}
}}
"""
HAPROXY = """\
global
    daemon
    user haproxy
    group haproxy
    chroot /var/lib/nowhere
    nbthread 4
    stats socket /run/nowhere/admin.sock mode 660 level admin
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
{body}
"""


def nginx(body):
    return "nginx.conf", NGINX.format(body=body)


def haproxy(body):
    return "haproxy.cfg", HAPROXY.format(body=body)


#: Name → ((file, text), pool → how it has to be judged).
CASES = {
    "nginx, names that do not exist, by weight": (
        nginx(
            """
    upstream app { server app1.internal.test:8080 weight=5; server app2.internal.test:8080; server 10.9.0.3 weight=2; }
    server { listen 192.0.2.10:80; server_name shop.test; location / { proxy_pass http://app; } }"""
        ),
        {"app": "whole cycles"},
    ),
    "nginx, TLS with certificates that do not exist": (
        nginx(
            """
    upstream app { least_conn; server 10.0.0.1:8443; server 10.0.0.2:8443; server 10.0.0.9:8443 backup; }
    server {
        listen 443 ssl;
        server_name tls.test;
        ssl_certificate /etc/nowhere/site.pem;
        ssl_certificate_key /etc/nowhere/site.key;
        ssl_dhparam /etc/nowhere/dhparam.pem;
        location / { proxy_pass https://app; }
    }"""
        ),
        {"app": "whole cycles"},
    ),
    "nginx, hashes pick by pick": (
        nginx(
            """
    upstream addresses { ip_hash; server 10.0.0.1:80; server 10.0.0.2:80 weight=3; server 10.0.0.3:80; }
    upstream paths { hash $request_uri consistent; server 10.0.0.1:81; server 10.0.0.2:81; server 10.0.0.3:81; }
    upstream users { hash $http_x_user; server 10.0.0.1:82; server 10.0.0.2:82 weight=2; }
    server {
        listen 8080;
        location /a/ { proxy_pass http://addresses; }
        location /p/ { proxy_pass http://paths; }
        location /u/ { proxy_pass http://users; }
    }"""
        ),
        {"addresses": "pick by pick", "paths": "pick by pick", "users": "pick by pick"},
    ),
    "nginx, random, and a unix socket": (
        nginx(
            """
    upstream draws { random; server 10.0.0.1:80 weight=3; server 10.0.0.2:80; server unix:/run/app/three.sock; }
    server { listen 8080; location / { proxy_pass http://draws; } }"""
        ),
        {"draws": "chi-square"},
    ),
    "haproxy, names that do not exist, checked": (
        haproxy(
            """
frontend web
    bind 192.0.2.10:80
    bind :8443 ssl crt /etc/nowhere/site.pem
    acl api path_beg /api/
    use_backend api if api
    default_backend app
backend app
    option httpchk GET /health
    server a app1.internal.test:80 check weight 7
    server b app2.internal.test:80 check weight 3
    server c 10.0.0.3:80 check weight 2 backup
backend api
    balance leastconn
    server a 10.0.1.1:80 check
    server b 10.0.1.2:80 check
"""
        ),
        {"app": "whole cycles", "api": "whole cycles"},
    ),
    "haproxy, hashes pick by pick": (
        haproxy(
            """
frontend web
    bind 127.0.0.1:8080
    use_backend ring if { path_beg /ring/ }
    use_backend users if { hdr(x-kind) users }
    default_backend sources
backend ring
    balance uri
    hash-type consistent
    server a 10.0.0.1:80 weight 10
    server b 10.0.0.2:80 weight 20
    server c 10.0.0.3:80 weight 10
backend users
    balance hdr(x-user)
    server a 10.0.1.1:80
    server b 10.0.1.2:80 weight 3
backend sources
    balance source
    server a 10.0.2.1:80
    server b 10.0.2.2:80
"""
        ),
        {"ring": "pick by pick", "users": "pick by pick", "sources": "pick by pick"},
    ),
    "haproxy, TCP, cookies, random": (
        haproxy(
            """
listen db
    bind 127.0.0.1:5432
    mode tcp
    balance roundrobin
    server a 10.0.0.1:5432 check weight 2
    server b 10.0.0.2:5432 check
listen sticky
    bind 127.0.0.1:8081
    cookie SRV insert indirect nocache
    server a 10.0.1.1:80 check cookie a
    server b 10.0.1.2:80 check cookie b
listen draws
    bind 127.0.0.1:8082
    balance random(1)
    server a 10.0.2.1:80 check weight 3
    server b 10.0.2.2:80 check weight 1
"""
        ),
        {"db": "whole cycles", "sticky": "whole cycles", "draws": "chi-square"},
    ),
}
