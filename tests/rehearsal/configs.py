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
    "haproxy, by name in TLS, cookie and address": (
        haproxy(
            """
frontend web
    bind :443 ssl crt /etc/haproxy/certs/
    use_backend named if { ssl_fc_sni -i a.test }
    use_backend canary if { req.cook(canary) -m str yes }
    use_backend inside if { src 10.0.0.0/8 192.168.0.0/16 }
    use_backend %[req.hdr(host),map(/etc/haproxy/hosts.map,app)]
frontend passed
    mode tcp
    bind :8443
    tcp-request inspect-delay 5s
    tcp-request content accept if { req_ssl_hello_type 1 }
    use_backend one if { req_ssl_sni -i one.test }
    default_backend other
backend named
    server s1 10.0.0.1:80
    server s2 10.0.0.2:80
backend canary
    server s1 10.0.0.3:80
    server s2 10.0.0.4:80
backend inside
    server s1 10.0.0.5:80
    server s2 10.0.0.6:80
backend app
    server s1 10.0.0.7:80
    server s2 10.0.0.8:80
backend one
    mode tcp
    server s1 10.0.1.1:443 check
    server s2 10.0.1.2:443 check
backend other
    mode tcp
    server s1 10.0.1.3:443
    server s2 10.0.1.4:443"""
        ),
        dict.fromkeys(["named", "canary", "inside", "one", "other", "app"], "whole cycles"),
    ),
    "haproxy, from an address of its own": (
        haproxy(
            """
listen web
    bind :80
    source 192.0.2.9
    server s1 10.0.0.1:80 check
    server s2 10.0.0.2:80 source 192.0.2.10:20000-30000"""
        ),
        {"web": "whole cycles"},
    ),
    "nginx, pools of a map": (
        nginx(
            """
    map $cookie_beta $pool { default stable; 1 beta; }
    upstream stable { server 10.0.0.1; server 10.0.0.2; }
    upstream beta { server 10.0.0.3; server 10.0.0.4 weight=4; }
    server { listen 80; location / { proxy_pass http://$pool; } }"""
        ),
        {"stable": "whole cycles", "beta": "whole cycles"},
    ),
    "nginx, from an address of its own": (
        nginx(
            """
    upstream app { server 10.0.0.1; server 10.0.0.2; }
    server { listen 80; location / { proxy_bind 192.0.2.9; proxy_pass http://app; } }"""
        ),
        {"app": "whole cycles"},
    ),
    "nginx, certificates that it verifies by name": (
        nginx(
            """
    upstream one_app { server app_1:443; server app_2:443; }
    upstream two { server 10.0.0.3:443; server 10.0.0.4:443; }
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
    server {
        listen 80;
        location /one { proxy_pass https://one_app; proxy_ssl_name app.corp; }
        location /two { proxy_pass https://two; }
    }"""
        ),
        {"one_app": "whole cycles", "two": "whole cycles"},
    ),
    "haproxy, certificates that it verifies by name": (
        haproxy(
            """
frontend web
    bind :80
    default_backend app
backend app
    server a1 app_1.internal:443 ssl verify required ca-file /etc/ssl/ca.pem sni str(app.local)
    server a2 app2.internal:443 ssl verify required ca-file @system-ca verifyhost app.local"""
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

#: The same for `make soak`, where each server is lost too; None for a pool that is not judged.
FURTHER = {
    "nginx, least_conn with a backup and one that is down": (
        nginx(
            """
    upstream app {
        least_conn;
        server 10.0.0.1:80 fail_timeout=1s;
        server 10.0.0.2:80 fail_timeout=1s;
        server 10.0.0.3:80 down;
        server 10.0.0.4:80 backup;
    }
    server { listen 80; location / { proxy_pass http://app; } }"""
        ),
        {"app": "whole cycles"},
    ),
    "nginx, ip_hash with one that is down": (
        nginx(
            """
    upstream app {
        ip_hash;
        server 10.0.0.1:80 fail_timeout=1s;
        server 10.0.0.2:80 weight=2 fail_timeout=1s;
        server 10.0.0.3:80 down;
        server 10.0.0.4:80 fail_timeout=1s;
    }
    server { listen 80; location / { proxy_pass http://app; } }"""
        ),
        {"app": "pick by pick"},
    ),
    "nginx, hash of a cookie": (
        nginx(
            """
    upstream app {
        hash $cookie_session;
        server 10.0.0.1:80 fail_timeout=1s;
        server 10.0.0.2:80 fail_timeout=1s;
        server 10.0.0.3:80 weight=3 fail_timeout=1s;
    }
    server { listen 80; location / { proxy_pass http://app; } }"""
        ),
        {"app": "pick by pick"},
    ),
    "nginx, ring of request arguments": (
        nginx(
            """
    upstream app {
        hash $arg_user consistent;
        server app1.test:80 fail_timeout=1s;
        server app2.test:80 fail_timeout=1s;
        server app3.test:80 weight=2 fail_timeout=1s;
    }
    server { listen 80; location / { proxy_pass http://app; } }"""
        ),
        {"app": "pick by pick"},
    ),
    "nginx, random of two": (
        nginx(
            """
    upstream app {
        random two;
        server 10.0.0.1:80 fail_timeout=2s;
        server 10.0.0.2:80 fail_timeout=2s;
        server 10.0.0.3:80 weight=2 fail_timeout=2s;
    }
    server { listen 80; location / { proxy_pass http://app; } }"""
        ),
        {"app": "chi-square"},
    ),
    "nginx, several listeners and hosts": (
        nginx(
            """
    upstream shop { server 10.0.0.1:80 fail_timeout=1s; server 10.0.0.2:80 weight=4 fail_timeout=1s; }
    upstream api { server 10.0.1.1:80 fail_timeout=1s; server 10.0.1.2:80 fail_timeout=1s; }
    server { listen 80; listen 8080; server_name shop.test www.shop.test; location / { proxy_pass http://shop; } }
    server { listen 80; server_name ~^api[0-9]+[.]test$; location ~ ^/v[12]/ { proxy_pass http://api; } }"""
        ),
        {"shop": "whole cycles", "api": "whole cycles"},
    ),
    "nginx, two workers' zone and slow timeouts": (
        nginx(
            """
    upstream app {
        zone app 64k;
        server 10.0.0.1:80 max_fails=3 fail_timeout=2s;
        server 10.0.0.2:80 max_fails=3 fail_timeout=2s;
        keepalive 8;
    }
    server {
        listen unix:/run/app/front.sock;
        location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }"""
        ),
        {"app": "whole cycles"},
    ),
    "haproxy, static-rr and uneven weights": (
        haproxy(
            """
listen app
    bind :80
    balance static-rr
    server a 10.0.0.1:80 check inter 300ms weight 7
    server b 10.0.0.2:80 check inter 300ms weight 3
    server c 10.0.0.3:80 check inter 300ms weight 2
"""
        ),
        {"app": "whole cycles"},
    ),
    "haproxy, leastconn and redispatch": (
        haproxy(
            """
listen app
    bind :80
    balance leastconn
    option redispatch
    server a 10.0.0.1:80 check inter 300ms weight 5
    server b 10.0.0.2:80 check inter 300ms
    server c 10.0.0.3:80 check inter 300ms
"""
        ),
        {"app": "whole cycles"},
    ),
    "haproxy, first": (
        haproxy(
            """
listen app
    bind :80
    balance first
    server a 10.0.0.1:80 check inter 300ms maxconn 50
    server b 10.0.0.2:80 check inter 300ms maxconn 50
"""
        ),
        {"app": "whole cycles"},
    ),
    "haproxy, map of sources, and of a parameter": (
        haproxy(
            """
frontend web
    bind :80
    use_backend users if { path_beg /users/ }
    default_backend app
backend app
    balance source
    server a 10.0.0.1:80 check inter 300ms weight 2
    server b 10.0.0.2:80 check inter 300ms
    server c 10.0.0.3:80 check inter 300ms
backend users
    balance url_param user
    server a 10.0.1.1:80 check inter 300ms
    server b 10.0.1.2:80 check inter 300ms weight 3
    server c 10.0.1.3:80 check inter 300ms
"""
        ),
        {"app": "pick by pick", "users": "pick by pick"},
    ),
    "haproxy, ring of a header with another function": (
        haproxy(
            """
listen app
    bind :80
    balance hdr(x-user)
    hash-type consistent djb2 avalanche
    server a 10.0.0.1:80 check inter 300ms
    server b 10.0.0.2:80 check inter 300ms
    server c 10.0.0.3:80 check inter 300ms weight 2
"""
        ),
        {"app": "pick by pick"},
    ),
    "haproxy, checks that expect something": (
        haproxy(
            """
listen app
    bind :80
    option httpchk GET /ready
    http-check expect status 204
    server a 10.0.0.1:80 check inter 300ms
    server b 10.0.0.2:80 check inter 300ms
listen text
    bind :81
    option httpchk GET /ready
    http-check expect string all\\ is\\ well
    server a 10.0.1.1:80 check inter 300ms
    server b 10.0.1.2:80 check inter 300ms port 9000
"""
        ),
        {"app": "whole cycles", "text": "whole cycles"},
    ),
    "haproxy, all backups, tracked servers, TLS to them": (
        haproxy(
            """
frontend web
    bind :443 ssl crt /etc/nowhere/site.pem
    use_backend follows if { path_beg /follows/ }
    default_backend app
backend app
    option allbackups
    server a 10.0.0.1:443 ssl verify none check inter 300ms
    server b 10.0.0.2:443 ssl verify none check inter 300ms backup
    server c 10.0.0.3:443 ssl verify none check inter 300ms backup weight 3
backend follows
    server a 10.0.0.1:80 track app/a
    server b 10.0.1.2:80
"""
        ),
        {"app": "whole cycles", "follows": "whole cycles"},
    ),
    "haproxy, PROXY protocol, stick table, unix socket": (
        haproxy(
            """
listen app
    bind 192.0.2.1:80 accept-proxy
    stick-table type ip size 10k
    stick on src
    server a 10.0.0.1:80 send-proxy check inter 300ms
    server b 10.0.0.2:80 send-proxy-v2 check inter 300ms
listen local
    bind /run/front/app.sock
    server a 10.0.1.1:80 check inter 300ms
    server b unix@/run/app/b.sock check inter 300ms
"""
        ),
        {"app": "whole cycles", "local": "whole cycles"},
    ),
    "haproxy, TCP over IPv6": (
        haproxy(
            """
listen db
    bind :::5432 v6only
    mode tcp
    option tcp-check
    server a 2001:db8::1:5432 check inter 300ms weight 2
    server b 2001:db8::2:5432 check inter 300ms
"""
        ),
        {"db": "whole cycles"},
    ),
}
