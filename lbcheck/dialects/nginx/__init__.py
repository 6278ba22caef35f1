"""nginx: text → tree (lexer, parser) → scopes (includes, inheritance) → model (lower), and the checks of its own ways.

parser.parse(source) → Tree    one file: directives with their places, faults; no recursion, no judgement
includes.Includer              which files an include means
scope.Scope                    blocks in their place, with what they inherit; Config.tree is the main context
roots.configs(paths, files)    what one config is: roots with their includes, fragments of a folder, dumps
lower.lower(…)                 the model: upstreams.py pools, frontends.py servers and routes, settings.py what holds
                               on a route, variables.py what a variable may stand for
judge.judge(config)            what nginx itself would refuse (group E): contexts.py for places and arguments,
                               judge_values.py for values, judge_*.py for the rest
checks.CHECKS                  the checks of nginx's own ways, on Config.tree and passes.passes(config)

directive_table.py (crossplane's masks) and source_table.py (nginx's own) are written by table_maker.py and
source_maker.py; known.py says what neither knows.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.context import Context
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.model import Config
    from lbcheck.text import Source

# Patterns of lines begin with the line end before them (`_lines`): the machine looks for that character alone, where
# `^` would have it try at every character.

#: A file that opens one of nginx's top blocks stands on its own.
_ROOT = pattern(r"\n\s*(?:events|http|stream|mail)\s*\{")
_INCLUDE = pattern(r"include(?<![\w.-]include)[ \t]+[\"']?([^;\"'\s]+)")
_OPENS = pattern(
    r"\n[ \t]*(?:http|events|stream|mail|server|upstream[ \t]+(?:[^\s{]+|\{\{[^{}\n]*\}\})"
    r"|location[ \t][^\n{]*|map[ \t][^\n{]*|geo[ \t][^\n{]*"
    r"|split_clients[ \t][^\n{]*|types|if[ \t]*\([^\n{]*)[ \t\r\n]*\{(?![{%])"
)
_DIRECTIVE = pattern(
    r"\n[ \t]*(?:proxy_|fastcgi_|uwsgi_|scgi_|grpc_|ssl_|gzip|add_header|access_log|error_log|listen|server|include"
    r"|server_name|root|index|return|rewrite|try_files|user|worker_processes|pid|limit_|client_|keepalive|resolver"
    r"|set|default_type|types_hash|sendfile|log_format|deny|allow|expires|auth_basic|load_module|tcp_no)\w*[ \t]+"
    r"[^\n=;{][^\n;{]*;"
)
_OTHERS = pattern(
    r"\n[ \t]*(?:\[[^\n\]]+\][ \t\r]*$|<[A-Za-z/!?]|#!"
    r"|(?:frontend|backend|listen|defaults|global)(?:[ \t]+[\w.-]+)?[ \t\r]*$"
    r"|(?:Host|Match|PermitRootLogin|PasswordAuthentication|Subsystem)[ \t])",
    re.MULTILINE,
)
#: A setting of HOCON, UCL and their like, which open blocks as nginx does: `key = value`, `key: value`.
_SETTING = pattern(
    r"\n[ \t]*+(?!location\b)[A-Za-z][\w.-]*+[ \t]*+(?:[+:]?=|:)[ \t]++(?![\s;])(?:(?!\$[a-z])[^\n])++$",
    re.MULTILINE,
)
#: A Dockerfile or a Kubernetes object, which may hold a config as a part.
_HOLDS_CONFIGS = pattern(r"\n(?:FROM[ \t]+\S|apiVersion:[ \t])")


def recognises(source: Source) -> bool:
    """Say whether the text is an nginx config or a fragment: it opens nginx's blocks, or most lines are directives."""
    lines = _lines(source)
    if _OPENS.search(lines):
        return not lines.lstrip().startswith(("{", "[", "<?", "#!")) and not (
            _HOLDS_CONFIGS.search(lines) or _of_settings(lines)
        )
    return bool(_DIRECTIVE.search(lines)) and not _OTHERS.search(lines) and _mostly_known(source)


def _lines(source: Source) -> str:
    """Return the text with a line end before each of its lines, the first one too."""
    return "\n" + source.text


def _of_settings(lines: str) -> bool:
    """Say whether the text sets keys to values more often than it gives directives. Lua in nginx does that, too."""
    settings = len(_SETTING.findall(lines))
    return settings > 0 and "_by_lua" not in lines and settings > len(_DIRECTIVE.findall(lines))


def _mostly_known(source: Source) -> bool:
    """Say whether the text's statements are nginx's: other formats have lines that end in a semicolon too."""
    from lbcheck.dialects.nginx.contexts import MASKS
    from lbcheck.dialects.nginx.known import apart, foreign
    from lbcheck.dialects.nginx.parser import parse

    tree = parse(source)
    names = [directive.name for directive in tree.all()]
    known = sum(name in MASKS or apart(name) or foreign(name) for name in names)
    return known > bool(tree.faults) and known >= 0.8 * len(names)


def references(source: Source) -> list[str]:
    """Return the patterns that the text includes."""
    return _INCLUDE.findall(source.text) if "include" in source.text else []


def neighbourhood(source: Source) -> str | None:
    """Return the folder of a fragment: the orphans of one folder make up one config. A main config needs none."""
    return None if _ROOT.search(_lines(source)) else os.path.dirname(source.path)


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Return the configs that the files make up; what is wrong with them as text is in Config.hits."""
    from lbcheck.dialects.nginx.judge import judge
    from lbcheck.dialects.nginx.roots import configs

    found = configs(paths, files)
    for config in found:
        judge(config)
    return found


def _checks() -> dict[str, Callable[[Config, Context], Iterable[Hit]]]:
    from lbcheck.dialects.nginx.checks import CHECKS as TABLE

    return TABLE


def __getattr__(name: str) -> dict[str, Callable[[Config, Context], Iterable[Hit]]]:
    """Load the table of checks when it is asked for: recognising a file needs none of them."""
    if name == "CHECKS":
        return _checks()
    raise AttributeError(name)
