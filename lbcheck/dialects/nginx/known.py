"""What nginx's own table does not say about directives: newer ones, other people's, and those that stand once."""

from __future__ import annotations

#: Blocks whose lines are data.
DATA_BLOCKS = frozenset({"map", "geo", "split_clients", "types", "charset_map", "match", "js_shared_dict_zone"})

#: Directives, and new contexts or arities of old ones, that crossplane's table lacks: never judged.
NEWER = frozenset(
    {"resolver", "resolver_timeout", "http2", "http3", "quic_retry", "quic_gso", "ssl_reject_handshake", "sticky",
     "keepalive_time", "keepalive_min_timeout", "proxy_pass_trailers", "grpc_pass_trailers", "early_hints",
     "ssl_certificate_compression", "max_headers", "js_import", "js_set", "add_trailer", "add_header_inherit",
     "add_trailer_inherit", "proxy_allow_upstream", "proxy_limit_rate", "mgmt", "least_time", "state", "queue", "ntlm",
     "limit_rate", "slice", "auth_jwt_key_file", "acme_issuer", "acme_certificate", "otel_trace", "otel_exporter",
     "oidc_provider", "proxy_http_version"}
)  # fmt: skip

#: (directive, last word of the context) that real nginx takes although the table does not.
ANYWHERE: frozenset[tuple[str, tuple[str, ...]]] = frozenset({("auth_request", ("if",))})

#: Names of third-party modules' directives that lie near nginx's own.
FOREIGN = frozenset(
    {"set_escape_uri", "set_unescape_uri", "proxy_connect", "proxy_connect_allow", "proxy_connect_address", "check",
     "echo", "fair", "concat", "srcache_fetch", "brotli", "brotli_types", "zstd", "zstd_types", "unzip", "push_stream",
     "upstream_conf", "js_include", "perl_set", "perl_modules", "perl_require", "image_filter", "xslt_types",
     "geoip2", "geoip2_proxy", "geoip2_proxy_recursive"}
)  # fmt: skip

#: Directives of which nginx refuses a second one in the same block ("directive is duplicate").
ONCE = frozenset(
    {"worker_processes", "pid", "worker_connections", "root", "alias", "proxy_pass", "grpc_pass", "fastcgi_pass",
     "uwsgi_pass", "scgi_pass", "memcached_pass", "proxy_connect_timeout", "proxy_read_timeout", "proxy_send_timeout",
     "proxy_http_version", "proxy_next_upstream_tries", "proxy_buffering", "sendfile",
     "tcp_nopush", "tcp_nodelay", "client_max_body_size", "keepalive_timeout", "server_tokens", "gzip",
     "ssl_prefer_server_ciphers"}
)  # fmt: skip
