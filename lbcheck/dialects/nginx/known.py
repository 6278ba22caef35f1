"""What nginx's own tables do not say about directives: other editions' and other people's."""

from __future__ import annotations

#: Blocks whose lines are data.
DATA_BLOCKS = frozenset(
    {"map", "geo", "split_clients", "types", "charset_map", "match", "num_map", "geoip2", "oidc_provider"}
)

#: Directives of NGINX Plus and of modules that are released apart from nginx: their places and arguments change with
#: their own versions, so they are known, and never judged.
APART = frozenset(
    {"api", "auth_oidc", "auth_require", "f4f", "hls", "internal_redirect", "keyval", "keyval_zone", "least_time",
     "match", "mgmt", "ntlm", "num_map", "proxy_requests", "queue", "session_log", "session_log_zone", "state",
     "status", "status_format", "status_zone", "sticky", "sticky_cookie_insert", "upstream_conf", "zone_sync"}
)  # fmt: skip
_APART_PREFIXES = (
    "acme_", "app_protect", "auth_jwt", "geoip2", "health_check", "image_filter", "js_", "mqtt", "oidc_", "otel_",
    "perl", "xslt_", "xml_", "zone_sync_",
)  # fmt: skip

#: Directives of modules by others: a name of theirs near one of nginx's is no slip.
_FOREIGN = frozenset(
    {"array_join", "array_map", "check", "check_http_send", "check_status", "concat", "consistent_hash", "fair",
     "fancyindex", "footer", "iconv_filter", "jdomain", "jvm_route", "memc_pass", "modsecurity", "ndk", "php",
     "postgres_pass", "push_stream", "redis", "redis_pass", "redis2_pass", "rtmp", "session_sticky", "sticky_hide",
     "trim", "unzip", "upload_pass", "upload_store", "user_agent", "subs_filter", "proxy_connect"}
)  # fmt: skip
_FOREIGN_PREFIXES = (
    "auth_ldap", "auth_pam", "brotli", "check_", "dav_ext", "drizzle_", "echo", "encrypted_session", "fancyindex_",
    "headers_more", "lua_", "memc_", "modsecurity_", "more_", "naxsi", "opentracing", "opentelemetry", "pagespeed",
    "passenger", "php_", "postgres_", "proxy_connect_", "push_stream_", "rds_", "redis2_", "redis_", "set_", "srcache",
    "ssl_ct", "subs_filter_", "sysguard", "testcookie", "trim_", "upload_", "upsync", "vhost_traffic_status", "vod_",
    "xss_", "zstd", "dyups", "rewrite_by", "server_rewrite_by", "tfs_", "limit_traffic_rate", "push_", "wallarm",
)  # fmt: skip

#: (directive, last word of the context) that real nginx takes although the tables do not.
ANYWHERE: frozenset[tuple[str, tuple[str, ...]]] = frozenset({("auth_request", ("if",))})

#: Directives with a setter of their own that refuse a second one in the same block ("is duplicate").
ONCE = frozenset(
    {"worker_processes", "worker_connections", "use", "root", "alias", "proxy_pass", "grpc_pass", "fastcgi_pass",
     "uwsgi_pass", "scgi_pass", "memcached_pass", "tunnel_pass", "proxy_cache", "fastcgi_cache", "uwsgi_cache",
     "scgi_cache", "try_files", "keepalive", "keepalive_timeout", "auth_request", "limit_except", "events", "http",
     "stream", "mail"}
)  # fmt: skip


def apart(name: str) -> bool:
    """Say whether a directive is known but not judged."""
    return name in APART or name.startswith(_APART_PREFIXES)


def foreign(name: str) -> bool:
    """Say whether a directive is a third-party module's, or looks like one."""
    return name in _FOREIGN or name.startswith(_FOREIGN_PREFIXES) or "_by_lua" in name
