"""What we say of Traefik's files, held against the real one: rules, servers' URLs, what it refuses a file for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import pytest
import traefiks
from dialects.traefik import mutations

from lbcheck.context import Context
from lbcheck.dialects import traefik
from lbcheck.dialects.traefik import document as documents
from lbcheck.dialects.traefik import gohost, schema
from lbcheck.dialects.traefik.checks_routers import router_broken
from lbcheck.discovery import discover
from lbcheck.files import DiskFiles
from lbcheck.project import judge
from lbcheck.settings import Settings
from lbcheck.text import Source

EXPECTED = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "expected" / "traefik-rules.tsv"

CORPUS = EXPECTED.parents[1] / "traefik"
SERVERS = {"http": {"url": "http://127.0.0.1:1"}, "tcp": {"address": "127.0.0.1:1"}}


def refused(folder, data):
    path = folder / "a.yaml"
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return traefiks.refused(path)


@traefiks.needs_alone
@pytest.mark.skipif(not EXPECTED.exists(), reason="the corpus of real configs is not beside the checkout")
def test_the_verdicts_of_the_rules_are_the_real_ones(tmp_path):
    """All of them at once, each a router. Stars in HostSNI came with 3.7."""
    rows = [line.split("\t") for line in EXPECTED.read_text(encoding="utf-8").splitlines()[1:]]
    data = {
        name: {"routers": {}, "services": {"s": {"loadBalancer": {"servers": [one]}}}} for name, one in SERVERS.items()
    }
    for at, (_, _, kind, _, rule, *_) in enumerate(rows):
        protocol, syntax = kind.split()
        router = {"rule": rule, "ruleSyntax": syntax, "service": "s", **({"tls": {}} if protocol == "tcp" else {})}
        data[protocol]["routers"][f"r{at}"] = router
    found = refused(tmp_path, data)
    assert "" not in found
    wrong = []
    for at, (_, _, kind, expected, rule, *_) in enumerate(rows):
        said = found.get(f"{kind.split()[0]} routers r{at}@file")
        if (said is None) != (expected == "valid"):
            wrong.append(rule)
    assert wrong == ["HostSNI(`*.example.com`)"] * (traefiks.version() < (3, 7))
    assert len(rows) - len(wrong) >= 411


URLS = [
    "http://10.0.0.1:80", "10.0.0.1:8080", "10.0.0.1", "app:8080", "app", "//10.0.0.1:80", "http//10.0.0.1", "http://",
    "http://10.0.0.1:99999", "http://10.0.0.1:abc", "http://[::1]:80", "http://[::1", "http://[::1]80", "http://a b:80",
    "http://a/b c", "http://a/%zz", "http://a%zz:80", "http:/a:80", ":80", ":", "1a://b", "a/b:80", "http://a:80?x:y z",
    "http://u:p@a:80", "http://u:p@a:b", "http://é.example:80", "http://a:80#%zz", "http://*:80", "http://a\tb", "h2c://a",
]  # fmt: skip


@traefiks.needs_alone
def test_a_url_that_go_refuses_keeps_its_service_from_being_built(tmp_path):
    services = {f"s{at}": {"loadBalancer": {"servers": [{"url": url}]}} for at, url in enumerate(URLS)}
    routers = {f"r{at}": {"rule": "Host(`a`)", "service": f"s{at}"} for at in range(len(URLS))}
    found = refused(tmp_path, {"http": {"routers": routers, "services": services}})
    assert "" not in found
    lost = [url for at, url in enumerate(URLS) if f"http routers r{at}@file" in found]
    assert lost == [url for url in URLS if gohost.url_refused(url)]
    assert 5 < len(lost) < len(URLS) - 5


@traefiks.needs_alone
@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of real configs is not beside the checkout")
def test_of_the_files_of_others_it_refuses_what_we_say():
    """Dynamic files alone: what static ones name is not there."""
    found, _ = discover([str(CORPUS)], DiskFiles([str(CORPUS)]))
    documented = {item.path: documents.read(item.path, DiskFiles([str(CORPUS)])) for item in found}
    paths = [path for path, one in documented.items() if one.dynamic and not one.static and "reference" not in path]
    assert len(paths) == 10
    for path in paths:
        (config,) = traefik.read([path], DiskFiles([str(CORPUS)]))
        ours = {hit.args["router"] for hit in router_broken(config, Context({})) if hit.code == "R11"}
        said = traefiks.refused(Path(path))
        real = {name.split()[2].partition("@")[0]: errors[0] for name, errors in said.items()}
        routers = {name for name in ours if name.startswith("router")}
        assert routers <= set(real), path
        # a service may be in another file; where there is no entry point for UDP is not for this file to say
        known = {
            name for name, error in real.items() if "does not exist" not in error and "no valid entry" not in error
        }
        assert known <= routers, path
        assert "" not in said


def the_real_one_refuses(folder, text):
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8")
    return "" in traefiks.refused(path)


def we_refuse(text):
    document = documents.parse(Source("a.yaml", text))
    return bool(document.hits + schema.check(document))


MUTATIONS = list(mutations.mutations(schema._SHAPES))
FEW = Random(5).sample(MUTATIONS, 16)


def mutation(*of):
    return pytest.mark.parametrize("text", [pytest.param(text, id="-".join(words)) for *words, text in of])


@traefiks.needs_alone
@mutation(*FEW)
def test_a_file_is_refused_for_what_we_say(tmp_path, text):
    assert we_refuse(text) == the_real_one_refuses(tmp_path, text)


@pytest.mark.soak
@traefiks.needs_alone
@mutation(*(one for one in MUTATIONS if one not in FEW))
def test_every_file_is_refused_for_what_we_say(tmp_path, text):
    assert we_refuse(text) == the_real_one_refuses(tmp_path, text)


BALANCER = {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:1"}]}}
TCP_BALANCER = {"loadBalancer": {"servers": [{"address": "127.0.0.1:1"}]}}
CHECKED = {"loadBalancer": {"healthCheck": {"path": "/"}, **BALANCER["loadBalancer"]}}
#: What may be wrong with a router or its service, each in a router and service of its own: (protocol, router, service).
BROKEN = {
    "right": ("http", {}, BALANCER),
    "no_rule": ("http", {"rule": None}, BALANCER),
    "no_service": ("http", {"service": None}, BALANCER),
    "missing": ("http", {"service": "no_missing"}, BALANCER),
    "other_provider": ("http", {"service": "app@file"}, BALANCER),
    "middleware": ("http", {"middlewares": ["nobody"]}, BALANCER),
    "tls_options": ("http", {"tls": {"options": "nobody"}}, BALANCER),
    "tls_default": ("http", {"tls": {"options": "default"}}, BALANCER),
    "strategy": ("http", {}, {"loadBalancer": {**BALANCER["loadBalancer"], "strategy": "fastest"}}),
    "two_kinds": ("http", {}, {**BALANCER, "weighted": {"services": [{"name": "app"}]}}),
    "url": ("http", {}, {"loadBalancer": {"servers": [{"url": "10.0.0.1:80"}]}}),
    "empty": ("http", {}, {"loadBalancer": {"servers": []}}),
    "zero": ("http", {}, {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:1", "weight": 0}]}}),
    "child": ("http", {}, {"weighted": {"services": [{"name": "app"}, {"name": "no_child"}]}}),
    "mirror": ("http", {}, {"mirroring": {"service": "app", "mirrors": [{"name": "no_mirror", "percent": 1}]}}),
    "deaf": ("http", {}, {"weighted": {"healthCheck": {}, "services": [{"name": "app"}]}}),
    "hearing": ("http", {}, {"weighted": {"healthCheck": {}, "services": [{"name": "checked"}]}}),
    "failover": ("http", {}, {"failover": {"service": "app", "fallback": "checked"}}),
    "failing_over": ("http", {}, {"failover": {"service": "checked", "fallback": "app"}}),
    "to_itself": ("http", {}, {"failover": {"service": "checked", "fallback": "checked"}}),
    "half": ("http", {}, {"failover": {"service": "checked"}}),
    "tcp_right": ("tcp", {}, TCP_BALANCER),
    "tcp_http": ("tcp", {"rule": "Host(`a`)"}, TCP_BALANCER),
    "tcp_middleware": ("tcp", {"middlewares": ["nobody"]}, TCP_BALANCER),
    "tcp_missing": ("tcp", {"service": "no_tcp_missing"}, TCP_BALANCER),
    "tcp_address": ("tcp", {}, {"loadBalancer": {"servers": [{"address": "127.0.0.1"}]}}),
    "tcp_plain": ("tcp", {"tls": None}, TCP_BALANCER),
    "tcp_plain_not": ("tcp", {"rule": "!HostSNI(`tcp_plain_not`)", "tls": None}, TCP_BALANCER),
    "tcp_star_first": ("tcp", {"rule": "HostSNI(`*`) || HostSNI(`tcp_star_first`)", "tls": None}, TCP_BALANCER),
    "tcp_star_last": ("tcp", {"rule": "HostSNI(`tcp_star_last`) || HostSNI(`*`)", "tls": None}, TCP_BALANCER),
    "tcp_regexp": ("tcp", {"rule": "HostSNIRegexp(`^tcp_regexp$`)", "tls": None}, TCP_BALANCER),
    "tcp_child": ("tcp", {}, {"weighted": {"services": [{"name": "no_tcp_child"}]}}),
}
#: Severities at which a router is lost; what a rule says of a service concerns the routers that lead to it.
LOST = {"R11", "P02", "H18", "F09"}


@traefiks.needs_alone
def test_the_real_one_disables_the_routers_that_we_say_are_lost(tmp_path):
    data = {
        "http": {"routers": {}, "services": {"app": BALANCER, "checked": CHECKED}},
        "tcp": {"routers": {}, "services": {}},
    }
    for name, (protocol, router, service) in BROKEN.items():
        rule = f"Host(`{name}`)" if protocol == "http" else f"HostSNI(`{name}`)"
        tls = {} if protocol == "http" else {"tls": {}}
        made = {"rule": rule, "service": name, **tls, **router}
        data[protocol]["routers"][name] = {key: value for key, value in made.items() if value is not None}
        data[protocol]["services"][name] = service
    said = refused(tmp_path, data)
    assert "" not in said
    real = {name.split()[2].partition("@")[0] for name in said if name.split()[1] == "routers"}
    text = (tmp_path / "a.yaml").read_text(encoding="utf-8")
    static = "providers: {file: {filename: a.yaml}}\n"
    memory = {"a.yaml": text, "traefik.yaml": static}
    (config,) = traefik.read(list(memory), DiskFiles(memory=memory))
    findings = [one for one in judge(Settings())(config).findings if one.code in LOST and one.severity == "error"]
    lost = {word for one in findings for word in re.findall(r"\w+", f"{one.route} {one.pool} {one.message}")}
    ours = {name for name in BROKEN if name in lost or f"no_{name}" in lost}
    # of these the router stays, and what leads on from it does not: the messages say so
    assert ours - real == {"tcp_address", "to_itself"}
    assert real <= ours
