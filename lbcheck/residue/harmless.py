"""Fields that do not decide where requests go: what changes in them needs no word.

The list is short on purpose. What is modelled needs no place in it, and what is not in it is named where it changes
and the model does not, which is right for everything that may refuse, answer, redirect or rewrite a request.
A pattern is held against the names from the root of a text to the field, joined by blanks (`[]` is an item of a list);
what lies below a harmless field is harmless too.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern
from lbcheck.residue.parts import FILE, ITEM, LEAF

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from lbcheck.residue.parts import Part


def _any(words: str) -> str:
    """Return a pattern for one of these words, each of which may be a pattern."""
    return f"(?:{'|'.join(words.split())})"


def _anywhere(words: str) -> str:
    """Return a pattern for fields of these names, wherever they stand."""
    return f"(?:.* )?{_any(words)}"


#: Envoy: logs, statistics, names of filters and chains, times and sizes, headers that are added, certificates.
_ENVOY = (
    _anywhere(
        r"""access_log access_log_options access_log_flush_interval stat_prefix stats_config stats_sinks stats_tags
        stats_flush_interval alt_stat_name stat_name virtual_clusters vcluster node admin tracing flags_path
        generate_request_id server_name server_header_transformation via decorator connect_timeout timeout
        \w*idle_timeout request_timeout request_headers_timeout max_connection_duration
        max_stream_duration drain_timeout delayed_close_timeout per_connection_buffer_limit_bytes
        per_try_timeout retry_back_off \w*headers_to_add \w*headers_to_remove max_request_headers_kb
        initial_(?:stream|connection)_window_size max_concurrent_streams upstream_connection_options tcp_keepalive
        tls_certificates tls_certificate_sds_secret_configs tls_params alpn_protocols dns_refresh_rate
        dns_failure_refresh_rate respect_dns_ttl health_checks watchdog watchdogs
        update_merge_window track_cluster_stats"""
    ),
    r"(?:.* )?(?:filter_chains|filters|http_filters|transport_socket|routes) (?:\[\] )?name",
    r".* (?:routes|virtual_hosts) \[\] metadata",
    r".* transport_socket typed_config common_tls_context validation_context\w* trusted_ca",
    r".* http_filters \[\] typed_config (?:emit_\w+|suppress_envoy_headers|start_child_span|stat\w*)",
    r"(?:.* )?@type",
)
#: Kubernetes: what is no field of a route, a Service or a policy.
_ROUTING_KINDS = _any(
    r"""Ingress IngressClass Service Gateway HTTPRoute GRPCRoute TCPRoute TLSRoute UDPRoute ReferenceGrant
    VirtualService DestinationRule ServiceEntry WorkloadEntry Sidecar EnvoyFilter WasmPlugin ProxyConfig
    AuthorizationPolicy RequestAuthentication PeerAuthentication NetworkPolicy EndpointSlice Endpoints ConfigMap
    IngressRoute IngressRouteTCP IngressRouteUDP Middleware MiddlewareTCP TraefikService ServersTransport
    ServersTransportTCP TLSOption [A-Za-z]*(?:Traffic|Backend|Security|RateLimit|TLS|Extension|Patch)Policy
    EnvoyProxy HTTPRouteFilter List \[\]"""
)
#: What annotations begin with that a controller reads, and how those of them end that decide nothing.
_CONTROLLERS = _any(
    r"""nginx\.ingress\.kubernetes\.io nginx\.(?:org|com) haproxy\.org haproxy-ingress\.github\.io
    traefik\.ingress\.kubernetes\.io ingress\.kubernetes\.io kubernetes\.io alb\.ingress\.kubernetes\.io
    konghq\.com projectcontour\.io (?:service|service\.beta|endpointslice)\.kubernetes\.io networking\.gke\.io
    cloud\.google\.com [\w.-]*istio\.io metallb\.(?:universe\.tf|io) getambassador\.io
    appgw\.ingress\.kubernetes\.io"""
)
_UNDECIDING = _any(
    r"""proxy-(?:connect|read|send|next-upstream)-timeout proxy-body-size proxy-buffer\w* proxy-buffers-number
    proxy-max-temp-file-size client-body-buffer-size enable-(?:access-log|rewrite-log|opentracing|opentelemetry)
    (?:[a-z]+-)*logs?(?:-[\w-]+)? (?:opentelemetry|opentracing)[\w-]* custom-headers connection-proxy-header
    x-forwarded-prefix description created-by ssl-(?:ciphers|prefer-server-ciphers) load-balancer-attributes tags
    change-cause load-balancer-name"""
)
_KUBERNETES = (
    rf"(?!{_ROUTING_KINDS}(?: |\Z))[^ ]+",
    r"\S+ (?:items \[\] )?status",
    r"\S+ (?:items \[\] )?metadata "
    + _any("labels uid resourceVersion generation managedFields creationTimestamp finalizers ownerReferences selfLink"),
    rf"\S+ metadata annotations (?!{_CONTROLLERS}/)[^ ]+",
    rf"\S+ metadata annotations [\w.-]+/{_UNDECIDING}",
    rf"ConfigMap data {_UNDECIDING}",
    r"Ingress spec tls \[\] secretName",
    r"Gateway spec listeners \[\] tls certificateRefs",
    r"Gateway spec servers \[\] tls credentialName",
    r"Service spec (?:ipFamil\w+|healthCheckNodePort)",
    r"(?:HTTPRoute|GRPCRoute|VirtualService) spec \S+ (?:\[\] )?(?:timeouts?|name)",
    r"VirtualService spec \S+ \[\] headers (?:request|response) \w+",
    r"HTTPRoute spec rules \[\] filters \[\] (?:responseHeaderModifier|requestHeaderModifier)",
    r"(?:DestinationRule|VirtualService|EnvoyFilter) .*(?:[tT]imeouts?|tcpKeepalive|stat_prefix)",
    r"\S+ apiVersion",
)
#: Traefik: logs, metrics, certificates, times, headers that middlewares add.
_TRAEFIK = (
    _anywhere(
        r"""log accesslog metrics tracing global ping certificatesresolvers certresolver certificates
        responseforwarding forwardingtimeouts healthcheck respondingtimeouts lifecycle
        compress checknewversion sendanonymoususage polinterval refreshseconds providersthrottleduration"""
    ),
    r".* middlewares \S+ headers \w*(?:headers|sts\w*|frame\w*|xss\w*|nosniff|policy)",
)
#: Compose: everything of a service that neither names it, nor places it, nor multiplies it, nor steers the proxy.
_TOP = _any("services networks include http tcp udp entrypoints providers tls experimental serverstransport api")
_COMPOSE = (
    rf"(?!{_TOP}(?: |\Z))[^ ]+",
    r"services \S+ (?!"
    + _any("labels deploy ports expose networks network_mode scale profiles extra_hosts links hostname command")
    + "|"
    + _any("entrypoint environment extends env_file label_file")
    + ")[^ ]+",
    r"services \S+ deploy (?!labels|replicas|mode|endpoint_mode)[^ ]+",
    r"services \S+ (?:deploy )?labels (?!traefik[.])[^ ]+",
    r"services \S+ environment (?!traefik_)[^ ]+",
)
#: nginx: logs, headers and parameters that are passed, times and sizes, certificates, processes, compression.
_NGINX = (
    _anywhere(
        r"""access_log error_log log_format log_not_found log_subrequest rewrite_log open_log_file_cache add_header
        add_trailer more_set_headers expires etag charset\w* default_type types server_tokens sendfile\w*
        tcp_nodelay tcp_nopush aio directio output_buffers postpone_output gzip\w* gunzip brotli\w* user pid
        worker_\w+ events load_module env daemon master_process pcre_jit thread_pool timer_resolution
        keepalive_(?:timeout|requests|time|disable) \w*_timeout client_(?:body|header|max_body)\w*
        large_client_header_buffers types_hash\w* server_names_hash\w* variables_hash\w* map_hash\w*
        reset_timedout\w+ (?:proxy|fastcgi|uwsgi|scgi|grpc)_(?:set_header|param|hide_header|pass_header|\w*buffer\w*)
        (?:proxy|fastcgi|uwsgi|scgi|grpc)_(?:temp\w*|http_version|socket_keepalive|headers_hash\w*|cookie\w*|redirect)
        (?:proxy|uwsgi|grpc)_ssl_(?:protocols|ciphers|session_reuse|certificate\w*|trusted\w*)
        (?:proxy|fastcgi|uwsgi|scgi|grpc)_(?:max_temp_file_size|store\w*|no_cache|limit_rate)
        ssl_(?:certificate\w*|ciphers|protocols|prefer\w*|session\w*|dhparam|ecdh_curve|stapling\w*|trusted\w*)
        ssl_buffer_size http2 http2_\w+ http3_\w+ limit_rate\w* open_file_cache\w* status_zone opentracing\w* otel\w*
        autoindex\w* max_ranges if_modified_since port_in_redirect absolute_redirect
        server_name_in_redirect msie\w* chunked\w* lingering\w*"""
    ),
)
#: HAProxy: logs, times, headers that are set, what the process itself needs.
_HAPROXY = (
    r"global (?!lua\S*|set-var\S*|setenv|presetenv|stats)\S+",
    _anywhere(
        r"""log log-format\S* log-tag log-send-hostname description timeout capture errorfile errorfiles errorloc\d*
        compression unique-id-\S+ id guid grace backlog fullconn maxconn http-response http-after-response
        email-alert mailers userlist ring traces http-errors"""
    ),
)
#: Lines of HAProxy that are told apart by their second word.
_HAPROXY_WORDS = (
    "option "
    + _any(
        r"""httplog tcplog dontlognull dontlog-normal logasap log-\S+ forwardfor forwarded originalto httpslog
        socket-stats tcp-smart-\S+ splice-\S+ clitcpka srvtcpka tcpka nolinger contstats http-keep-alive httpclose
        http-server-close http-buffer-request abortonclose"""
    ),
    "http-request (?:set|add|del|replace)-header",
    r"http-request (?:capture|set-log-level|set-nice|set-tos|set-mark|disable-l7-retry|track-sc\d*|sc-\S+)",
    r"stats \S+",
)
_TABLES: dict[str, tuple[str, ...]] = {
    "envoy": _ENVOY,
    "kubernetes": _KUBERNETES,
    "traefik": (*_TRAEFIK, *_COMPOSE),
    "compose": _COMPOSE,
    "nginx": _NGINX,
    "haproxy": _HAPROXY,
}
#: Lists and statements whose order decides, as far as the readers may not model it.
_ORDERED = frozenset(
    {
        "http_filters",
        "filters",
        "middlewares",
        "allow",
        "deny",
        "rewrite",
        "if",
        "set",
        "return",
        "http-request",
        "tcp-request",
        "acl",
    }
)


#: So much of a name is held against the tables: it may be as long as a file.
_LONGEST = 200


@cache
def _table(dialect: str) -> re.Pattern[str]:
    whole = "|".join(f"(?:{one})" for one in _TABLES[dialect])
    return pattern(rf"(?:{whole})(?: .*)?\Z")


def known(dialect: str) -> bool:
    """Say whether there is a table for a dialect. lbcheck's own has none: it holds nothing that is not modelled."""
    return dialect in _TABLES


def harmless(dialect: str, path: Sequence[str], part: Part) -> bool:
    """Say whether a part decides nothing: it, or everything in it, is in the table."""
    names = _names(path)
    if _table(dialect).match(names):
        return True
    if dialect == "haproxy" and _of_words(part):
        return True
    return part.kind != LEAF and bool(part.kids) and all(harmless(dialect, (*path, kid.name), kid) for kid in part.kids)


def _names(path: Sequence[str]) -> str:
    """Return the names from the top of a text, without its file and document."""
    start = 0
    while start < min(2, len(path)) and path[start] == (FILE, ITEM)[start]:
        start += 1
    return " ".join(name[:_LONGEST].replace(" ", "_") for name in path[start:])


@cache
def _words() -> re.Pattern[str]:
    return pattern(rf"(?:no )?(?:{'|'.join(_HAPROXY_WORDS)})(?:[\s(]|\Z)")


def _of_words(part: Part) -> bool:
    return bool(_words().match(" ".join(part.raw.split()[:3])))


def ordered(path: Sequence[str]) -> bool:
    """Say whether it counts in which order the parts at a path stand."""
    return any(name in _ORDERED for name in path[-2:])
