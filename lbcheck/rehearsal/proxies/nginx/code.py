"""What of an nginx config loads or runs code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.preparing.variables import LOADING

if TYPE_CHECKING:
    from lbcheck.dialects.nginx.tree import Directive

#: Folders in which a system's package manager puts nginx's modules.
MODULES = ("modules/", "/usr/lib/nginx/modules/", "/usr/lib64/nginx/modules/", "/usr/share/nginx/modules/")
#: nginx modules, its own and others', whose directives hold programs or start them.
_NGINX = re.compile(
    r"lua_|.*_by_lua|js_|.*js_content$|perl|passenger|exec|mruby|.*_mruby|php_|python|wasm|proxy_wasm|jvm_"
    r"|.*_handler_code|haskell|.*_haskell|v8|ruby|modsecurity|auth_pam|ssl_engine$|dyups|pagespeed"
)
#: OpenSSL takes the rest for the name of a shared library, or of a key that a provider has.
_KEY = re.compile(r"(?:engine|store):", re.IGNORECASE)
#: What these write is no key's name; a variable may become one.
_TEXTS = frozenset({"log_format", "add_header", "return", "proxy_set_header", "error_page"})


def code(directive: Directive) -> str | None:
    """Return what a directive of nginx loads or runs; None where it does not."""
    name, first = directive.name, directive.args[0] if directive.args else ""
    if name == "load_module":
        return None if first.startswith(MODULES) and ".." not in first else f"load_module {first} loads code"
    if name == "env" and "=" in first and LOADING.match(first):
        return f"env {first} says what is loaded"
    if _NGINX.match(name) or directive.raw is not None:
        return f"{name} runs code"
    if name not in _TEXTS and any(map(_KEY.match, (name, *directive.args))):
        return f"{name} loads a library for its key"
    return None
