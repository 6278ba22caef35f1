"""Variables that nothing defines: nginx refuses the config ("unknown variable"), wherever the name is read.

Said only of `if ($name …)`, and only where nothing unseen can define a variable: a whole config in which every
directive is nginx's own and no module is loaded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.directive_table import DIRECTIVES
from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.known import DATA_BLOCKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.findings import Hit

#: Prefixes of variables that exist for any rest (ngx_http_variables.c), and of those that modules of nginx's own bring.
_PREFIXES = (
    "http_", "arg_", "cookie_", "sent_http_", "sent_trailer_", "upstream_", "ssl_", "geoip_", "proxy_", "fastcgi_",
    "request_", "realip_", "jwt_", "secure_link", "session_", "otel_", "tcpinfo_", "server_", "remote_", "connection",
    "time_", "memcached_", "slice_", "date_", "invalid_", "gzip_", "binary_", "document_", "content_", "spdy", "http2",
    "http3", "body_", "bytes_", "limit_", "quic", "protocol", "uid_", "modern_browser", "ancient_browser", "is_",
)  # fmt: skip
_NAMES = frozenset(
    {"args", "query_string", "uri", "host", "hostname", "https", "scheme", "msec", "msie", "nginx_version", "pid",
     "pipe", "status", "request", "realpath_root", "grpc_internal_trailers", "sent_http", "1", "2"}
)  # fmt: skip
_DEFINES = frozenset(
    {"set", "map", "geo", "split_clients", "auth_request_set", "js_set", "perl_set", "js_var", "keyval"}
)
_READ = re.compile(r"\(\s*\$\{?([a-z_]+[a-z_0-9]*)\}?")
_CAPTURE = re.compile(r"\?P?<(\w+)>")


def unknown_variables(main: Scope) -> Iterator[Hit]:
    """Yield a finding for each `if` that reads a variable which nothing defines."""
    defined: set[str] = set()
    read = []
    for scope in main.walk():
        if scope.path and scope.path[-1] in DATA_BLOCKS:
            continue
        for directive in scope.directives:
            if directive.name not in DIRECTIVES or directive.name == "load_module":
                return
            if directive.name in _DEFINES:
                defined.update(arg.lstrip("$").strip("{}").lower() for arg in directive.args)
            defined.update(name.lower() for arg in directive.args for name in _CAPTURE.findall(arg))
            match = _READ.match(" ".join(directive.args)) if directive.name == "if" else None
            if match is not None:
                read.append((match[1], directive))
    for name, directive in read:
        if name not in defined and name not in _NAMES and not name.startswith(_PREFIXES):
            problem = f"nothing defines the variable ${name}: nginx refuses the config"
            yield hit("E11", directive.span, problem, f"define it with set or map, or correct the name ${name}")
