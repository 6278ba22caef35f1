"""What a proxy's own check misses in the sandbox: files and names that live on the server. They are made up."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.preparing.certificate import PLACE as CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: nginx and HAProxy say a name in these ways.
_HOST = re.compile(
    r"host not found in (?:upstream |resolver )?\"(?P<a>[^\"]+)\"|could not resolve address '(?P<b>[^']+)'"
    r"|host not found in \"(?P<c>[^\"]+)\" of the"
)
_PATH = re.compile(r"[\"'<(]?(?P<path>/[^\s\"'<>(),;:]+)")
#: Where in the config it is: no path in here is what is missed.
_PLACE = re.compile(r"^.*?\[[^\]]*:\d+\] ?: | in \S+:\d+$")
#: HAProxy and Envoy name a file as the config does, relative to where they were started.
_RELATIVE = re.compile(
    r"\bfile (?:'(?P<a>[^/'][^']*)'|<(?P<b>[^/>][^>]*)>)|unable to load (?P<c>[^/\s]\S*?)\.?$"
    r"|Invalid path: (?P<d>[^/\s]\S*)|unable to open file '(?P<e>[^/'][^']*)'"
    r"|Failed to load [a-z ]+ from (?:path: )?(?P<f>(?!path:)[^/\s][^\s:]*)"
)
_ABSENT = re.compile(
    r"Invalid path|Failed to load"
    r"|No such file|no such file|failed \(2:|Permission denied|failed \(13:|unable to|cannot|error|failed to open"
)
#: Words that are said of nothing but of what is not there.
_NOT_THERE = re.compile(r"[Nn]o such file or directory|failed to open")
#: A library of this machine; nobody can make up what it does.
_LIBRARY = re.compile(r'dlopen\(\) "(?P<path>[^"]+)" failed')
#: HAProxy's word for the certificates of the system, which lie in a folder that the sandbox does not show.
_SYSTEM = "unable to load @system-ca"
_SYSTEM_FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")
_CERTIFICATE = re.compile(
    r"\.(?:pem|crt|cer|key|cert|chain|bundle|ca)\b|certificate|/(?:ssl|tls|certs?|private)/|SSL|\bcrt\b"
)
#: nginx begins each line with a date whose slashes are no path's; Envoy with places in its source, and the config's.
_TIME = re.compile(
    r"^\d{4}/\d\d/\d\d \S+ "
    r"|^\[\d{4}-[^\]]*\](?:\[[^\]]*\])* (?:\[source/[^\]]*\] )?(?:error initializing config\w* '[^']*': )?"
)
_PARAMETERS = re.compile(r"dh_?param|/dh", re.IGNORECASE)
_NEEDS_FOLDER = re.compile(r"bind\(\)|socket|mkdir\(\)|pid|chroot")


class Missing:
    """What one round of the check asked for."""

    def __init__(self) -> None:
        self.hosts: set[str] = set()
        self.files: dict[str, str] = {}
        self.folders: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self.hosts or self.files or self.folders)


def missing(output: str, certificate: Callable[[], str], known: set[str], folders: Iterable[str] = ()) -> Missing:
    """Return what the messages of a failed check name as not there. `known` paths were made up already.

    A relative path may start in the working folder, or (HAProxy's `default-path`) in one of the config's `folders`.
    """
    found = Missing()
    for said in output.splitlines():
        line = _TIME.sub("", said)
        if _LIBRARY.search(line):
            continue
        if match := _HOST.search(line):
            host = next(filter(None, match.groups()))
            found.hosts.add(host.rpartition(":")[0] if re.search(r":\d+$", host) else host)
        elif _SYSTEM in line:
            found.files.update({f"{folder}/{_NAME}": _authority(certificate()) for folder in _SYSTEM_FOLDERS})
        elif match := _RELATIVE.search(line):
            name = next(filter(None, match.groups()))
            for folder in (os.getcwd(), *folders):
                path = os.path.normpath(os.path.join(folder, name))
                _made_up(found, path + "/" * name.endswith("/"), line, certificate)
        elif _ABSENT.search(line):
            for one in _PATH.finditer(_PLACE.sub("", line)):
                path = one["path"].rstrip(".")
                if path not in known:
                    _made_up(found, path, line, certificate)
                    break
    return found


def _authority(text: str) -> str:
    """Return the last certificate of a text: of a file in that folder HAProxy reads the first one only."""
    before, mark, after = text.rpartition("-----BEGIN CERTIFICATE-----")
    return mark + after if before else text


def unmakeable(output: str, made_up: Iterable[str]) -> str | None:
    """Return why a check that still fails does not speak of the config; None where it does.

    It speaks of what lives on the server: of a module or a file that is not here, or of what was `made_up` for one.
    """
    names = [word for path in made_up if path.startswith("/") for word in _called(path)]
    for said in output.splitlines():
        line = _PLACE.sub("", _TIME.sub("", said))
        if match := _LIBRARY.search(line):
            return f"the module {match['path']} is not installed here"
        if name := next((one for one in names if re.search(rf"(?<![\w./-]){re.escape(one)}(?![\w/-])", line)), None):
            return f"{name} lives on its server, and lbcheck cannot make it up"
        if _NOT_THERE.search(line):
            return "a file that lives on its server is not here, and lbcheck cannot make it up"
    return None


def _called(path: str) -> Iterator[str]:
    """Yield what messages may call a file: its path, or that from here where it can be told from other words."""
    yield path
    here = os.path.relpath(path)
    if not here.startswith("..") and {"/", "."}.intersection(here):
        yield here


def _made_up(found: Missing, path: str, line: str, certificate: Callable[[], str]) -> None:
    if path.endswith("/"):
        if _CERTIFICATE.search(line):
            found.files[path + _NAME] = certificate()
        else:
            found.folders.add(path.rstrip("/"))
    elif "crt-list" in line:
        found.files.update({path: f"{CERTIFICATE}\n", CERTIFICATE: certificate()})
    elif "tickets keys" in line:
        found.files[path] = _TICKETS
    elif _NEEDS_FOLDER.search(line.replace(path, "")) and "certificate" not in line:
        found.folders.add(path.rpartition("/")[0])
    elif _PARAMETERS.search(path):
        found.files[path] = DH_PARAMETERS
    elif _CERTIFICATE.search(line) and not path.endswith(".conf"):
        found.files[path] = certificate()
    else:
        found.files[path] = _CONTENT.get(path.rpartition("/")[2], "")


#: What a file is called that is made up in a folder.
_NAME = "lbcheck-rehearsal.pem"
#: Three keys of 48 bytes, in base64 (HAProxy's configuration manual, "tls-ticket-keys").
_TICKETS = 3 * ("A" * 64 + "\n")
_CONTENT = {"mime.types": "types { text/html html; }\n"}
#: The 2048-bit group of RFC 7919 (ffdhe2048), as openssl writes it.
DH_PARAMETERS = """-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""
