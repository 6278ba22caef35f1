"""The real proxies as judges of configs: `nginx -t`, `haproxy -c`, `envoy --mode validate`, and a Traefik that runs."""

from __future__ import annotations

import functools
import os
import re
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import traefik_alone
import traefiks
from proxies import ENVOY, HAPROXY, NGINX, TRAEFIK

if TYPE_CHECKING:
    from pathlib import Path

BINARIES = {"nginx": NGINX, "haproxy": HAPROXY, "envoy": ENVOY, "traefik": TRAEFIK}
#: Seconds after which a checker counts as hung.
PATIENCE = 30


class CannotJudgeError(Exception):
    """The proxy is not installed, or this user or this build cannot judge the config; the text says why."""


def verdict(dialect: str, files: dict[str, str], folder: Path) -> tuple[bool, str]:
    """Return whether the proxy accepts the files, the first of them the root, and what it printed."""
    program = BINARIES[dialect]
    if program is None:
        raise CannotJudgeError(f"{dialect} is not installed")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
    supply(folder, "".join(files.values()))
    command = _COMMANDS[dialect](program, files, folder)
    # nginx follows an include cycle until it has no descriptors left; with thousands of them it overflows its stack.
    limit = _few_descriptors if dialect == "nginx" else None
    run = subprocess.run(
        command, cwd=folder, capture_output=True, errors="replace", timeout=PATIENCE, check=False, preexec_fn=limit
    )
    said = run.stdout + run.stderr
    if run.returncode and os.geteuid() and "Permission denied" in said:
        raise CannotJudgeError(f"only root may check this with {dialect}: {said.strip()}")
    assert dialect != "traefik" or run.returncode in (0, traefik_alone.REFUSED), said
    return run.returncode == 0, said


def nginx_t(program: str, folder: Path) -> tuple[bool, str]:
    """Return whether nginx accepts the folder's nginx.conf, and what it printed.

    Where the build's own log and temporary folders are root's, the test is skipped: nginx would refuse for them.
    """
    command = [program, "-t", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE)
    if run.returncode and os.geteuid() and "Permission denied" in run.stderr:
        pytest.skip(f"only root may ask this nginx: {run.stderr.splitlines()[0]}")
    return run.returncode == 0, run.stderr


def _few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def _nginx(program: str, files: dict[str, str], folder: Path) -> list[str]:
    root, text = next(iter(files.items()))
    everything = "".join(files.values())
    if not re.search(r"\bevents\b", everything):
        with (folder / root).open("a", encoding="utf-8") as stream:
            stream.write("\nevents {}\n")
    extra = [] if re.search(r"^\s*pid\s", text, re.MULTILINE) else [f"pid {folder}/nginx.pid;"]
    for module, block in (("ngx_stream_module", "stream"), ("ngx_mail_module", "mail")):
        if re.search(rf"^\s*{block}\s*\{{", everything, re.MULTILINE) and module not in everything:
            extra += [f"load_module {module_path(module)};"] if module_path(module) else []
    return [program, "-t", "-p", str(folder), "-c", str(folder / root), "-e", "stderr", "-g", " ".join(extra)]


def module_path(module: str) -> str:
    """Return where nginx keeps a dynamic module, "" where it is built in. Raises CannotJudgeError."""
    build = nginx_build()
    block = module.removeprefix("ngx_").removesuffix("_module")
    if re.search(rf"--with-{block}(?:\s|$)", build):
        return ""
    folder = re.search(r"--modules-path=(\S+)", build)
    path = f"{folder[1]}/{module}.so" if folder else ""
    if not os.path.exists(path):
        raise CannotJudgeError(f"this nginx has no {module}")
    return path


@functools.cache
def nginx_build() -> str:
    return subprocess.run([NGINX, "-V"], capture_output=True, text=True, check=True).stderr


def _haproxy(program: str, files: dict[str, str], folder: Path) -> list[str]:
    configs = [name for name in files if name.endswith(".cfg")] or list(files)[:1]
    return [program, "-c", *(word for name in configs for word in ("-f", str(folder / name)))]


def _envoy(program: str, files: dict[str, str], folder: Path) -> list[str]:
    return [program, "--mode", "validate", "-c", str(folder / next(iter(files))), "-l", "critical"]


def _traefik(program: str, files: dict[str, str], folder: Path) -> list[str]:
    if any(name.endswith("compose.yaml") for name in files):
        raise CannotJudgeError("labels of containers are read from Docker, which no test runs")
    if not traefiks.has_namespaces():
        raise CannotJudgeError("no network namespace here, in which Traefik could read any file")
    named = [name for name, text in files.items() if "providers:" in text]
    return traefiks.command(program, [folder / name for name in named or files])


_COMMANDS = {"nginx": _nginx, "haproxy": _haproxy, "envoy": _envoy, "traefik": _traefik}


def supply(folder: Path, text: str) -> None:
    """Put beside the config what examples may name: mime.types, and tls/site.pem, tls/site.key and tls/ca.pem."""
    if "mime.types" in text and not (folder / "mime.types").exists():
        (folder / "mime.types").write_text("types { text/html html; }\n")
    if "tls/" in text:
        (folder / "tls").mkdir(exist_ok=True)
        certificate, key = self_signed()
        for name, content in (("site.pem", certificate + key), ("site.key", key), ("ca.pem", certificate)):
            (folder / "tls" / name).write_text(content)


@functools.cache
def self_signed() -> tuple[str, str]:
    """Return a certificate and its key, made for this test run."""
    program = shutil.which("openssl")
    if program is None:
        raise CannotJudgeError("openssl is not installed: no certificate for the example")
    request = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=example.test", "-newkey", "ec"]
    curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", "-", "-out", "-"]
    made = subprocess.run([program, *request, *curve], capture_output=True, text=True, check=True).stdout
    key, _, certificate = made.partition("-----END PRIVATE KEY-----\n")
    return certificate, key + "-----END PRIVATE KEY-----\n"
