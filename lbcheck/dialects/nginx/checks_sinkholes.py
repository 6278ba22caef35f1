"""`least_conn` where an answer 500 is no failure (`ngx_http_upstream_test_next`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.passes import passes_by_pool
from lbcheck.dialects.nginx.values import is_opaque
from lbcheck.findings import INFO, Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.nginx.passes import Pass
    from lbcheck.model import Config, Pool

#: Words of proxy_next_upstream after which a server that answers with errors counts as failing.
_ERRORS = frozenset({"http_500", "http_502", "http_503", "http_504"})
#: What other modules call their health checks, inside `upstream`.
_CHECKS = frozenset({"check", "health_check", "healthcheck_enabled"})
#: Families whose answers have an HTTP status.
_HTTP = frozenset({"proxy", "grpc", "fastcgi", "uwsgi", "scgi"})
#: More related places than this are not listed.
_RELATED = 10


def least_conn_sinkhole(config: Config, context: Context) -> Iterator[Hit]:
    """D19: every use of a `least_conn` upstream takes errors for answers.

    Information only: that is nginx's default, and counting errors has its price, since it repeats requests.
    """
    by_pool = passes_by_pool(config, context)
    for pool in config.pools:
        chosen, uses = pool.algorithm.span, by_pool.get(id(pool), [])
        if pool.algorithm.name != "least_conn" or chosen is None or not uses or not _several(pool):
            continue
        if all(map(_takes_errors, uses)):
            family = uses[0].family
            advice = (
                f"count them as failures: `{family}_next_upstream error timeout http_500 http_502 http_503 http_504`, "
                "with `max_fails=3` on the servers"
            )
            related = [Related(one.directive.span, "errors are answers here") for one in uses[:_RELATED]]
            args = {"pool": pool.name, "algorithm": pool.algorithm.name, "advice": advice}
            yield Hit("D19", chosen, args, severity=INFO, related=related, pool=pool.name)


def _several(pool: Pool) -> bool:
    """Say whether there is a choice among servers, all known, and nobody else's module watches them."""
    return pool.open is None and pool.unsure is None and len(pool.serving) > 1 and _CHECKS.isdisjoint(pool.options)


def _takes_errors(one: Pass) -> bool:
    if one.context != "http" or one.family not in _HTTP or one.scope.find("health_check") is not None:
        return False
    written = one.setting("next_upstream")
    return written is None or (_ERRORS.isdisjoint(written.args) and not any(map(is_opaque, written.args)))
