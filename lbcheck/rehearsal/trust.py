"""What loads or runs code: it is refused unless the user trusts the config.

The sandbox holds what such code could reach; this list keeps it from running at all. It is cautious: what could be code
counts as code, and where a config was not read to its end, words are enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.variables import LOADING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.tree import Line, Section
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.model import Config

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
_HAPROXY = re.compile(
    r"lua-|external-check$|insecure-fork-wanted$|insecure-setuid-wanted$|ssl-engine$|ssl-provider|module-|program$"
)
#: `option` and `filter` of HAProxy that run programs or load them.
_HAPROXY_SECOND = {"option": frozenset({"external-check"}), "filter": frozenset({"opentracing", "lua"})}
#: For a config that was not understood to its end.
_WORDS = re.compile(
    r"load_module|_by_lua|\blua|\bjs_|perl|passenger|\bexec|ruby|wasm|engine:|store:|ssl_engine|external-check|lua-"
    r"|program|insecure-|ssl-engine|ssl-provider|setenv|opentracing"
)
#: Findings of reading: a file that could not be read, one that is too large or too deep, a cycle.
_UNREAD = frozenset({"E03", "E04", "E05"})


def unread(config: Config) -> Iterator[str]:
    """Yield why it is not known what a config runs: what was not read, and code in what was not understood."""
    for hit in config.hits:
        if hit.code in _UNREAD:
            yield f"{hit.span.path}:{hit.span.line}: not all of it was read"
        elif hit.code == "E01":
            for source in config.files:
                if match := _WORDS.search(source.text):
                    line = source.position(match.start())[0]
                    yield f"{source.path}:{line}: `{match[0]}` in a config that cannot be read to its end"


def nginx_code(directive: Directive) -> str | None:
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


def haproxy_code(section: Section, line: Line) -> str | None:
    """Return what a line of HAProxy loads or runs; None where it does not."""
    first, second = line.words[0], line.word(1)
    if 0 in line.opaque or (first in _HAPROXY_SECOND and 1 in line.opaque):
        return f"{first} {second} is known only when it runs"
    if first in {"setenv", "presetenv"} and LOADING.match(second):
        return f"{first} {second} says what is loaded"
    if _HAPROXY.match(first) or second.partition(".")[0] in _HAPROXY_SECOND.get(first, ()):
        return f"{first} {second} runs code".replace("  ", " ")
    if section.kind == "program":
        return "a program section starts a program"
    return None
