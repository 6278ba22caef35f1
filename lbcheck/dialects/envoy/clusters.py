"""Pools: clusters of every discovery type (envoy.config.cluster.v3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.envoy.eds import CONTROL_PLANE
from lbcheck.dialects.envoy.endpoints import Common, kept, servers
from lbcheck.dialects.envoy.health import health_check, outlier
from lbcheck.dialects.envoy.message import STATEMENT, TEMPLATE, Message, pairs, texts
from lbcheck.dialects.envoy.policies import policy
from lbcheck.findings import NotChecked
from lbcheck.model import Pool, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.envoy.eds import Assignments, Endpoints
    from lbcheck.dialects.envoy.policies import Policy
    from lbcheck.model import Config, Duration, HealthCheck, Server
    from lbcheck.text import Span

_EXTENSION = "envoy.extensions.clusters"
_CLUSTER = "envoy.config.cluster.v3.Cluster"
_SAN = "envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher.SanType"
#: Why the members are not in the file, by discovery type.
_ELSEWHERE = {
    "EDS": CONTROL_PLANE,
    "ORIGINAL_DST": "each connection's original destination is its server (ORIGINAL_DST)",
    "": "how its members are found is not known",
}
#: Cluster types that are extensions: what decides their members.
_EXTENSIONS = {
    "envoy.clusters.aggregate": "other clusters take its requests (aggregate cluster)",
    "envoy.clusters.composite": "other clusters take its requests (composite cluster)",
    "envoy.clusters.dynamic_forward_proxy": "each request names its own host (dynamic forward proxy)",
    "envoy.clusters.redis": "the Redis cluster names its members",
    "envoy.cluster.eds": CONTROL_PLANE,
    "envoy.clusters.mcp_multicluster": "other clusters take its requests",
    "envoy.clusters.reverse_connection": "its hosts connect to Envoy themselves",
}
_SPIFFE = "spiffe://"
_THRESHOLDS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")


def pool(cluster: Message, assignments: Assignments, config: Config) -> Pool | None:
    """Return the pool of a cluster; None where it has no name. `assignments` are for clusters of EDS."""
    name = cluster.text("name")
    if name is None or name.span is None or cluster.node is None:
        return None
    kind, dynamic = _discovery(cluster)
    assignment = cluster.message("load_assignment")
    sent: Endpoints | None = None
    if kind == "EDS" and not assignment:
        sent = assignments.of(cluster, name.value)
        assignment, dynamic = sent.assignment, sent.open
        if dynamic is not None:
            config.unmodelled.append(NotChecked(cluster.place("type"), dynamic))
    check = _check(cluster, config)
    chosen = policy(cluster)
    common = Common(
        check,
        checked=Setting(check is not None, check.span if check is not None else None),
        passive="outlier_detection" in cluster,
        tls=_tls(cluster),
    )
    found, missing = servers(assignment, common, config, looked_up=kind in ("STRICT_DNS", "LOGICAL_DNS"))
    reason = dynamic or missing or _template(cluster, found)
    options = _options(cluster, assignment, kind)
    if kind == "EDS":
        found, repeated = kept(found)
        if repeated:
            options["repeated"] = Setting(repeated)
    if sent is not None and sent.refused is not None:
        options["refused endpoints"] = Setting(sent)
    options["localities"] = Setting(chosen.localities)
    if chosen.reason is not None:
        options["opaque policy"] = Setting(chosen.reason, chosen.algorithm.span)
    config.unmodelled += _opaque(chosen, name.span)
    return Pool(
        name.value,
        name.span,
        found,
        chosen.algorithm,
        open=reason,
        check=check,
        timeouts=_timeouts(cluster, config.durations),
        options=options,
    )


def _opaque(chosen: Policy, span: Span) -> Iterator[NotChecked]:
    """Yield what nobody knows of how a cluster chooses its hosts; `span` is the cluster's name."""
    if chosen.reason is not None:
        yield NotChecked(chosen.algorithm.span or span, chosen.reason)
    subset = chosen.algorithm.options.get("subset")
    if subset is not None:
        yield NotChecked(subset.span or span, "the subset of its hosts that metadata chooses")


def _discovery(cluster: Message) -> tuple[str, str | None]:
    """Return the discovery type, and why the members are not in the file (None: they are)."""
    if "cluster_type" in cluster:
        extension = cluster.message("cluster_type")
        name = extension.word("name")
        kind, inside = extension.typed("typed_config")
        if kind == "DnsCluster" or name in (
            "envoy.cluster.strict_dns",
            "envoy.cluster.logical_dns",
            "envoy.cluster.dns",
        ):
            single = inside.true("all_addresses_in_single_endpoint") or name == "envoy.cluster.logical_dns"
            return ("LOGICAL_DNS" if single else "STRICT_DNS"), None
        if name == "envoy.cluster.static":
            return "STATIC", None
        return name, _EXTENSIONS.get(name, f"the cluster type {name} decides its members")
    written = cluster.enum("type", f"{_CLUSTER}.DiscoveryType")
    kind = "STATIC" if written is None else written.value
    return kind, _ELSEWHERE.get(kind)


def members(cluster: Message) -> list[str]:
    """Return the names of the clusters to which a cluster hands its requests on; none where it has hosts of its own.

    Those of an aggregate cluster follow each other as priorities do (aggregate/cluster.cc): how many requests one
    gets is decided by the health of those before it.
    """
    inside = cluster.message("cluster_type").message("typed_config")
    kind = inside.word("@type").rpartition("/")[2]
    if kind == f"{_EXTENSION}.aggregate.v3.ClusterConfig":
        return [node.text for node in texts(inside.get("clusters"))]
    if kind == f"{_EXTENSION}.composite.v3.ClusterConfig":
        return [one.word("name") for one in inside.messages("clusters")]
    if kind == f"{_EXTENSION}.mcp_multicluster.v3.ClusterConfig":
        return [one.message("mcp_cluster").word("cluster") for one in inside.messages("servers")]
    return []


def _check(cluster: Message, config: Config) -> HealthCheck | None:
    written = cluster.messages("health_checks")
    if not written:
        return None
    for further in written[1:]:
        config.unmodelled.append(NotChecked(further.span, "a cluster's second health check"))
    return health_check(written[0], config.durations)


def _tls(cluster: Message) -> Setting[bool] | None:
    if "transport_socket_matches" in cluster or "transport_socket_matcher" in cluster:
        return None  # each endpoint's metadata decides
    if "transport_socket" not in cluster:
        return Setting(False)
    kind, inside = cluster.message("transport_socket").typed("typed_config")
    while kind not in ("UpstreamTlsContext", "QuicUpstreamTransport") and "transport_socket" in inside:
        kind, inside = inside.message("transport_socket").typed("typed_config")  # PROXY protocol, a tap
    if kind in ("UpstreamTlsContext", "QuicUpstreamTransport"):
        return Setting(True, cluster.place("transport_socket"))
    return Setting(False) if kind == "RawBuffer" else None


def _template(cluster: Message, found: list[Server]) -> str | None:
    node = cluster.node
    if node is not None and STATEMENT.search(node.source.text, node.start, node.end):
        return "a template decides its members"
    return next((f"the weight of {one.name} is a template" for one in found if "opaque weight" in one.options), None)


def _timeouts(cluster: Message, noted: list[Duration]) -> dict[str, Setting[float]]:
    written = cluster.seconds("connect_timeout", noted)
    if written is None and "connect_timeout" in cluster:
        return {}
    return {"connect": written or Setting(5.0)}  # cluster.proto: "defaults to 5s"


def _options(cluster: Message, assignment: Message, kind: str) -> dict[str, Setting[Any]]:
    common = cluster.message("common_lb_config")
    found: dict[str, Setting[Any]] = {"discovery": Setting(kind), **outlier(cluster), **_limits(cluster)}
    policy_of = assignment.message("policy")
    found["overprovisioning"] = policy_of.integer("overprovisioning_factor") or Setting(140)
    if policy_of.true("weighted_priority_health"):
        found["weighted_priority_health"] = Setting(True, policy_of.place("weighted_priority_health"))
    if "drop_overloads" in policy_of:
        found["drop_overloads"] = Setting(True, policy_of.place("drop_overloads"))
    found["panic"] = _panic(common)
    for name in ("locality_weighted_lb_config", "zone_aware_lb_config"):
        if name in common:
            found[name] = Setting(True, common.place(name))
    found["http2"] = Setting(_http2(cluster))
    kind, tls = cluster.message("transport_socket").typed("typed_config")
    if kind == "UpstreamTlsContext" and not any(name in tls for name in ("sni", "auto_host_sni")):
        found["no sni"] = Setting(not (_auto_sni(cluster) or _by_uri(tls)), cluster.place("transport_socket"))
    return found


def _protocols(cluster: Message) -> Message:
    """Return the cluster's HttpProtocolOptions."""
    for _, value in pairs(cluster.get("typed_extension_protocol_options")):
        if Message(value).word("@type").endswith(".HttpProtocolOptions"):
            return Message(value)
    return Message(None)


def _http2(cluster: Message) -> bool:
    """Say whether the cluster may speak HTTP/2 or newer to its servers; HTTP/1.1 is the default."""
    options = _protocols(cluster)
    explicit = options.message("explicit_http_config")
    selection = cluster.enum("protocol_selection", f"{_CLUSTER}.ClusterProtocolSelection")
    return (
        "http2_protocol_options" in cluster
        or any(name in options for name in ("use_downstream_protocol_config", "auto_config"))
        or any(name in explicit for name in ("http2_protocol_options", "http3_protocol_options"))
        or (selection is not None and selection.value != "USE_CONFIGURED_PROTOCOL")
    )


def _auto_sni(cluster: Message) -> bool:
    return any(
        options.true(name)
        for options in (
            _protocols(cluster).message("upstream_http_protocol_options"),
            cluster.message("upstream_http_protocol_options"),
        )
        for name in ("auto_sni", "override_auto_sni_header")
    )


def _by_uri(tls: Message) -> bool:
    """Say whether the server is known by a URI in its certificate, as workloads of SPIFFE are, whatever its name."""
    common = tls.message("common_tls_context")
    contexts = (
        common.message("validation_context"),
        common.message("combined_validation_context").message("default_validation_context"),
    )
    for context in contexts:
        typed = [one.enum("san_type", _SAN) for one in context.messages("match_typed_subject_alt_names")]
        if any(kind is not None and kind.value in ("URI", "") for kind in typed):
            return True
        untyped = context.messages("match_subject_alt_names")  # deprecated: names and URIs alike
        if any(one.word(how).startswith(_SPIFFE) for one in untyped for how in ("exact", "prefix")):
            return True
        if context.message("custom_validator_config").typed("typed_config")[0] == "SPIFFECertValidatorConfig":
            return True
    return False


def _panic(common: Message) -> Setting[float]:
    """Return the panic threshold in percent: 50 where nothing is written (load_balancer_impl.cc)."""
    written = common.percent("healthy_panic_threshold")
    if written is not None:
        return written
    return Setting(0.0 if "healthy_panic_threshold" in common else 50.0)


def _limits(cluster: Message) -> dict[str, Setting[Any]]:
    """Return the circuit breakers of default priority: the first thresholds that are for it count."""
    for threshold in cluster.message("circuit_breakers").messages("thresholds"):
        priority = threshold.enum("priority", "envoy.config.core.v3.RoutingPriority")
        if priority is None or priority.value == "DEFAULT":
            found: dict[str, Setting[Any]] = {}
            for name in _THRESHOLDS:
                limit = threshold.integer(name)
                if limit is not None:
                    found[name] = limit
                elif name in threshold:
                    found[name] = Setting(None, threshold.place(name))
            if "retry_budget" in threshold:
                found["retry_budget"] = Setting(True, threshold.place("retry_budget"))
            return found
    return {}


def templated(name: str) -> bool:
    """Say whether a template has yet to write a name."""
    return TEMPLATE.search(name) is not None
