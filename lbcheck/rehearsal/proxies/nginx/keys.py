"""What has to differ from request to request for an nginx pool's key to differ (`Load.vary`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.varying import PATH, QUERY, SOURCE, free, known

if TYPE_CHECKING:
    from lbcheck.model import Pool
    from lbcheck.rehearsal.preparing.samples import Sample

#: nginx variable → what varies it.
_VARIABLES = {
    "remote_addr": SOURCE,
    "binary_remote_addr": SOURCE,
    "uri": PATH,
    "document_uri": PATH,
    "args": QUERY,
    "query_string": QUERY,
}
_PREFIXES = {"arg_": "query:", "cookie_": "cookie:", "http_": "header:"}
_VARIABLE = re.compile(r"\$\{?(\w+)")


def varied(pool: Pool, sample: Sample) -> str:
    """Return it; "" where nothing that may differ changes the key."""
    if pool.algorithm.name == "ip_hash":
        return SOURCE
    key = pool.algorithm.key.value if pool.algorithm.key is not None else ""
    for name in _VARIABLE.findall(key):
        if name == "request_uri":
            return PATH if sample.open_end else QUERY
        found = known(name, _VARIABLES, sample) or _named(name)
        if found:
            return found
    return ""


def _named(variable: str) -> str:
    for prefix, kind in _PREFIXES.items():
        name = variable.removeprefix(prefix)
        if name != variable:
            return free(kind, name.replace("_", "-") if kind == "header:" else name)
    return ""
