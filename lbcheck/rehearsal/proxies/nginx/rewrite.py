"""An nginx config written anew: directives that open no file and no address are kept, those that do are replaced.

All others are refused: without namespaces nothing else holds them.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.isolation.namespaces import NOBODY
from lbcheck.rehearsal.preparing.prepared import Statement
from lbcheck.rehearsal.preparing.rewriting import address
from lbcheck.rehearsal.proxies.nginx import fragments

if TYPE_CHECKING:
    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.model import Config
    from lbcheck.rehearsal.preparing.rewriting import Rewriting

#: Blocks, and simple directives, that open no file and no address, and ask for no name.
_BLOCKS = frozenset(
    {"events", "http", "server", "upstream", "location", "if", "map", "geo", "split_clients", "types", "limit_except"}
)
_KEPT = re.compile(
    r"absolute_redirect|add_header|add_trailer|allow|break|charset|chunked_transfer_encoding|client_(?:body_(?:buffer_size|timeout)"
    r"|header_(?:buffer_size|timeout)|max_body_size)|connection_pool_size|default_type|deny|error_page|etag|expires"
    r"|gunzip|gzip(?:_(?:buffers|comp_level|disable|http_version|min_length|proxied|types|vary))?|hash"
    r"|http2|if_modified_since|ignore_invalid_headers|index|internal|ip_hash|keepalive(?:_(?:disable|requests|time|timeout))?"
    r"|large_client_header_buffers|least_conn|limit_(?:conn|req)(?:_zone|_status|_log_level|_dry_run)?|limit_rate"
    r"|lingering_(?:close|time|timeout)|log_format|log_not_found|log_subrequest|output_buffers|postpone_output|map_hash_(?:bucket|max)_size|max_ranges"
    r"|merge_slashes|multi_accept|accept_mutex|pcre_jit|port_in_redirect|random|real_ip_(?:header|recursive)"
    r"|recursive_error_pages|request_pool_size|reset_timedout_connection|return|rewrite|rewrite_log|satisfy|send_timeout"
    r"|sendfile|server_name|server_name_in_redirect|server_names_hash_(?:bucket|max)_size|server_tokens|set"
    r"|ssl_(?:buffer_size|ciphers|ecdh_curve|prefer_server_ciphers|protocols|session_cache|session_tickets"
    r"|session_timeout|verify_client|verify_depth)|stub_status|tcp_nodelay|tcp_nopush|try_files"
    r"|types_hash_(?:bucket|max)_size|underscores_in_headers|uninitialized_variable_warn"
    r"|variables_hash_(?:bucket|max)_size|worker_connections|zone"
    r"|proxy_(?:buffer_size|buffering|buffers|busy_buffers_size|connect_timeout|cookie_(?:domain|flags|path)"
    r"|headers_hash_(?:bucket|max)_size|hide_header|http_version|ignore_client_abort|ignore_headers|intercept_errors"
    r"|limit_rate|max_temp_file_size|next_upstream(?:_timeout|_tries)?|pass_header|pass_request_(?:body|headers)"
    r"|read_timeout|redirect|request_buffering|send_timeout|set_header|socket_keepalive|ssl_(?:ciphers|name|protocols"
    r"|server_name|session_reuse)|temp_file_write_size)"
)
_FILE = "nothing is written outside the private folder"
_STEERED = "lbcheck steers it"
#: Directives that are taken out → why.
_TAKEN_OUT = {
    **dict.fromkeys(("daemon", "master_process", "user", "worker_processes", "worker_cpu_affinity", "use"), _STEERED),
    **dict.fromkeys(("worker_priority", "worker_rlimit_nofile", "worker_rlimit_core", "thread_pool", "env"), _STEERED),
    **dict.fromkeys(("worker_shutdown_timeout", "timer_resolution", "load_module"), _STEERED),
    **dict.fromkeys(("pid", "lock_file", "error_log", "access_log", "open_log_file_cache"), _FILE),
    **dict.fromkeys((f"{one}_temp_path" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")), _FILE),
    **dict.fromkeys(("ssl_stapling", "ssl_stapling_verify"), "it would ask a server elsewhere"),
    "ssl_dhparam": "the file is not opened",
}
_CERTIFICATES = re.compile(r"(?:proxy_)?ssl_(?:certificate(?:_key)?|trusted_certificate)|ssl_client_certificate")
#: Settings for servers of other protocols: a config that asks one is refused for its `fastcgi_pass`.
_OTHERS = re.compile(r"(?:fastcgi|uwsgi|scgi|memcached|grpc)_(?!pass$)\w+")
#: Blocks whose entries are no directives.
_TABLES = frozenset({"map", "geo", "split_clients", "types"})
_SERVER = re.compile(r"(?:weight|max_fails|fail_timeout|max_conns)=\w+|backup|down")
_LISTEN = frozenset({"ssl", "http2", "proxy_protocol", "default_server", "default"})
_SOCKET = re.compile(r"(?:backlog|rcvbuf|sndbuf|fastopen|ipv6only|so_keepalive|setfib)=\S+|deferred|bind|reuseport")
_NETWORK = re.compile(r"[0-9.]+(?:/[0-9]+)?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:/[0-9]+)?|unix:")
_PLAIN = re.compile(r"[A-Za-z0-9_./:=~^$@*%+,&?!|<>()\[\]-]+")
_TESTS = frozenset({"-f", "!-f", "-d", "!-d", "-e", "!-e", "-x", "!-x"})
_TARGET = re.compile(r"(?P<scheme>https?)://(?P<host>[^/$\s?#]+)(?P<rest>/[^\s]*)?")


def rewrite(config: Config, made: Rewriting) -> None:
    """Write a config anew. Raises OSError where there is no free place for a server."""
    if config.tree.find("http") is None:
        made.refused.append(f"{config.path}: it has no http block")
    else:
        _Writer(made, _upstreams(config.tree)).block(config.tree)


def commands(binary: str, made: Rewriting) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return how nginx checks the config, and is started: as one process, that ends with the one that made it."""
    files = f"pid {quoted(f'{made.run}/pid')}; lock_file {quoted(f'{made.run}/lock')}; error_log stderr;"
    rest = ("-e", "stderr", "-p", made.run, "-c", made.path, "-g", f"daemon off; master_process off; {_user()}{files}")
    return (binary, "-t", *rest), (binary, *rest)


def _user() -> str:
    """Return who nginx gives its folders to where root has no nobody to become, as in a user namespace of his own."""
    return "user root; " if os.geteuid() == 0 and not _mapped(NOBODY) else ""


def _mapped(user: int) -> bool:
    """Say whether a user exists in this user namespace (user_namespaces(7)); everywhere but on Linux he does."""
    try:
        with open("/proc/self/uid_map", encoding="ascii") as stream:
            ranges = [tuple(map(int, line.split())) for line in stream]
    except OSError:
        return True
    return any(first <= user < first + count for first, _, count in ranges)


def _upstreams(tree: Scope) -> frozenset[str]:
    return frozenset(
        scope.directive.args[0]
        for scope in tree.walk()
        if scope.path[-1:] == ("upstream",) and scope.directive is not None and scope.directive.args
    )


class _Writer:
    """Writes the blocks of one config."""

    def __init__(self, made: Rewriting, upstreams: frozenset[str]) -> None:
        self._made = made
        self._upstreams = upstreams

    def block(self, scope: Scope) -> None:
        """Write what a block holds."""
        inner = iter(scope.blocks())
        table = scope.path[-1:] and scope.path[-1] in _TABLES
        self._begin(scope)
        for directive in scope.directives:
            self._made.statements.append(Statement((directive.name, *directive.args), directive.word_span))
            below = next(inner) if directive.children is not None else None
            if fragments.is_around(directive) or directive.raw is not None:
                self._made.refused.append(f"{directive.source.path}: it is not a whole config")
            elif below is not None:
                self._open(directive, below)
            elif table and directive.name != "include":
                self._keep(directive)
            else:
                self._simple(directive)

    def _begin(self, scope: Scope) -> None:
        if scope.path == ("http",):
            self._made.write("access_log off;")
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
                self._made.write(f"{name}_temp_path {quoted(f'{self._made.run}/{name}')};")
        elif scope.path[-1:] == ("server",) and scope.find("listen") is None:
            self._made.write(f"listen {self._made.places.listener('', 80)};")

    def _open(self, directive: Directive, below: Scope) -> None:
        if directive.name not in _BLOCKS:
            self._made.refuse(directive.span, f"{directive.name} is not known to be safe")
        elif directive.name == "if" and any(
            one.strip("()") in _TESTS and not after.startswith(("$request_filename", "$document_root"))
            for one, after in zip(directive.args, [*directive.args[1:], ""], strict=True)
        ):
            self._made.refuse(directive.span, "it looks for a file of the machine")
        self._made.write(" ".join([directive.name, *map(quoted, directive.args), "{"]), directive.span)
        self.block(below)
        self._made.write("}")

    def _simple(self, directive: Directive) -> None:
        name = directive.name
        rewriter = {
            "listen": self._listen, "proxy_pass": self._proxy_pass, "server": self._server, "root": self._root,
            "alias": self._root, "set_real_ip_from": self._network,
        }.get(name)  # fmt: skip
        if name in _TAKEN_OUT:
            self._made.change(directive.span, "", _TAKEN_OUT[name])
        elif _OTHERS.fullmatch(name):
            self._made.change(directive.span, "", "no such server is asked")
        elif rewriter is not None:
            rewriter(directive)
        elif _CERTIFICATES.fullmatch(name):
            self._replace(directive, [self._made.pem], "a certificate is made up")
        elif _KEPT.fullmatch(name):
            self._keep(directive)
        else:
            self._made.refuse(directive.span, f"{name} is not known to be safe")

    def _keep(self, directive: Directive) -> None:
        self._made.write(" ".join(map(quoted, (directive.name, *directive.args))) + ";", directive.span)

    def _replace(self, directive: Directive, args: list[str], reason: str) -> None:
        after = " ".join([directive.name, *map(quoted, args)]) + ";"
        self._made.write(after, directive.span)
        self._made.change(directive.span, after, reason)

    def _listen(self, directive: Directive) -> None:
        first, *options = directive.args or [""]
        where = ("", int(first)) if first.isdecimal() else address(first, 80)
        odd = [one for one in options if one not in _LISTEN and not _SOCKET.fullmatch(one)]
        if where is None or odd:
            self._made.refuse(directive.span, f"listen {odd[0] if odd else first} cannot be put elsewhere")
            return
        kept = [one for one in options if one in _LISTEN]
        self._replace(directive, [self._made.places.listener(*where), *kept], "a free port of loopback")

    def _server(self, directive: Directive) -> None:
        first, *options = directive.args or [""]
        where = address(first, 80)
        odd = [one for one in options if not _SERVER.fullmatch(one)]
        if where is None or odd:
            self._made.refuse(directive.span, f"server {odd[0] if odd else first} cannot be put elsewhere")
            return
        self._replace(directive, [self._made.places.server(*where), *options], "a server of lbcheck's on loopback")

    def _proxy_pass(self, directive: Directive) -> None:
        target = _TARGET.fullmatch(" ".join(directive.args))
        if target is not None and target["host"] in self._upstreams and "$" not in (target["rest"] or ""):
            self._keep(directive)
            return
        where = None if target is None else address(target["host"], 443 if target["scheme"] == "https" else 80)
        named = where is not None and where[0] in self._upstreams
        if target is None or where is None or named or "$" in (target["rest"] or ""):
            self._made.refuse(directive.span, "where it leads cannot be put elsewhere")
            return
        place = self._made.places.server(*where)
        self._replace(
            directive, [f"{target['scheme']}://{place}{target['rest'] or ''}"], "a server of lbcheck's on loopback"
        )

    def _root(self, directive: Directive) -> None:
        self._replace(directive, [f"{self._made.run}/www"], "files are those of the private folder")

    def _network(self, directive: Directive) -> None:
        if directive.args and _NETWORK.fullmatch(directive.args[0]):
            self._keep(directive)
        else:
            self._made.refuse(directive.span, "it asks for a name")


def quoted(word: str) -> str:
    """Return a word as nginx reads it again (ngx_conf_read_token)."""
    if _PLAIN.fullmatch(word):
        return word
    for char, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        word = word.replace(char, written)
    return f'"{word}"'
