"""Compose files: containers and their world, Traefik's labels in them, and the configs that they mount."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcheck import project
from lbcheck.context import Context
from lbcheck.dialects import compose, composefile, traefik, yaml
from lbcheck.files import DiskFiles
from lbcheck.project import Request
from lbcheck.settings import Settings
from lbcheck.text import Source
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

PROJECT = """
services:
  proxy:
    image: "registry.example.com/traefik:v3.6"
    command: --providers.docker --providers.docker.network=front --entrypoints.web.address=:80
    networks: [front]
    volumes:
      - ./conf:/etc/conf:ro
      - {type: bind, source: ./one.conf, target: /etc/one.conf}
      - data:/data
  app:
    build: .
    container_name: shop
    hostname: shop-host
    networks:
      front: {aliases: [www]}
      back:
    expose: [8080, "53/udp"]
    ports: ["127.0.0.1:9090:8080", "8443", {target: 9000, published: 9001}]
    deploy: {replicas: 3}
    labels:
      traefik.http.routers.app.rule: Host(`a.example.com`) && !Header(`X`, `$$1`)
      traefik.http.services.app.loadbalancer.server.port: 8080
  db:
    image: postgres
    network_mode: host
    scale: ${DB}
networks:
  front: {external: true}
  back:
"""


def containers(text):
    source = Source("compose.yaml", text)
    return composefile.containers(yaml.read(source).documents[0], source)


def test_containers():
    found = containers(PROJECT).by_name
    proxy, app, db = found["proxy"], found["app"], found["db"]
    assert [one.value for one in proxy.arguments][1:] == [
        "--providers.docker.network=front",
        "--entrypoints.web.address=:80",
    ]
    assert [(one.source, one.target) for one in proxy.mounts] == [
        ("./conf", "/etc/conf"),
        ("./one.conf", "/etc/one.conf"),
    ]
    assert (app.networks, app.ports, app.replicas) == (("front", "back"), (8080, 53, 8443, 9000), 3)
    assert app.labels[0].value.value == "Host(`a.example.com`) && !Header(`X`, `$1`)"
    assert app.labels[1].value.span.text == "8080"
    assert (db.networks, db.mode, db.replicas) == ((), "host", None)


def test_the_world():
    world = containers(PROJECT).world
    assert world.open is None
    for name in ("app", "shop", "SHOP-HOST", "www"):
        assert [service.name for service in world.named(name)] == ["app"]
    assert world.named("nobody") == []
    assert world.networks["front"].external
    assert not world.networks["back"].external
    (app,) = world.named("app")
    assert [(port.number, port.target) for port in app.ports] == [(9090, 8080), (None, 8443), (9001, 9000)]
    assert app.workloads[0].replicas == 3
    assert containers("include: [a.yml]\nservices: {a: {image: b}}").world.open


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (PROJECT, True),
        ("services:\n  a:\n    image: b\n", True),
        ("services:\n  a: {image: b}\n", True),
        ("services: {a: {build: .}}\n", True),
        ("# of the shop\n{services: {a: {image: b}, c: {ports: [80]}}}\n", True),
        ('{\n  "name": "shop",\n  "services": {"a": {"extends": "b"}, "b": {"image": "c"}}\n}\n', True),
        ("services: {a: {port: 80}}\n", False),
        ("{spec: {services: {a: {image: b}}}}\n", False),
        ('{"apiVersion": "v1", "kind": "X", "services": {"a": {"image": "b"}}}\n', False),
        ("services:\n  - {name: a, image: b}\n", False),
        ("services:\n  a:\n    port: 80\n", False),
        ("apiVersion: v1\nservices:\n  a:\n    image: b\n", False),
        ("http:\n  services:\n    image: {}\n", False),
        ("", False),
    ],
)
def test_recognises(text, known):
    assert compose.recognises(Source("a.yaml", text)) is known


def test_a_file_without_labels_is_a_world_and_nothing_else():
    (config,) = compose.read(["c.yml"], DiskFiles(memory={"c.yml": "services:\n  a:\n    image: b\n"}))
    assert (config.pools, config.frontends, config.hits) == ([], [], [])
    assert [service.name for service in config.world.services] == ["a"]
    (config,) = compose.read(["c.yml"], DiskFiles(memory={"c.yml": "services:\n  a: {}\n  a: {}\n"}))
    assert [hit.code for hit in config.hits] == ["E10"]


def labelled(text, **files):
    memory = {"compose.yaml": text} | {name.replace("_", "."): body for name, body in files.items()}
    return traefik.read(list(memory), DiskFiles(memory=memory))


def test_labels_hide_nothing_that_is_wrong_with_their_file():
    labels = "labels: [traefik.enable=true, traefik.http.services.a.loadbalancer.server.port=80]"
    (config,) = labelled(f"services:\n  a:\n    image: b\n    image: c\n    {labels}\n")
    assert [(hit.code, hit.span.line) for hit in config.hits if hit.code == "E10"] == [("E10", 4)]


def test_labels_become_a_configuration():
    (config,) = labelled(PROJECT)
    assert (config.dialect, config.hits, config.home) == ("traefik", [], "proxy")
    (web,) = config.frontends
    assert (web.name, web.listeners[0].address.port) == ("web", 80)
    (route,) = web.routes
    assert (route.label, route.targets[0].pool.name) == ("app", "app")
    (pool,) = config.pools
    (server,) = pool.servers
    assert (server.name, server.count, server.checked) == ("app:8080", 3, None)
    assert server.span.text == "8080"
    assert config.tree.broken == []
    (shown,) = traffic(config, Scenario()).pools
    assert shown.servers[0].share == 1


def test_containers_of_one_service_are_its_servers():
    text = """
services:
  a:
    image: x
    labels: ["traefik.http.routers.r.rule=Host(`a`)", "traefik.http.services.s.loadbalancer.server.port=80"]
  b:
    image: x
    labels:
      - traefik.http.routers.r.rule=Host(`a`)
      - traefik.http.services.s.loadbalancer.server.port=80
      - traefik.http.services.s.loadbalancer.server.scheme=https
  off:
    image: x
    labels: ["traefik.enable=false", "traefik.http.services.s.loadbalancer.server.port=80"]
  bare:
    image: x
    labels: ["traefik.http.routers.bare.priority=3"]
"""
    (config,) = labelled(text)
    found = {pool.name: [(server.name, server.tls is not None) for server in pool.servers] for pool in config.pools}
    assert found == {"s": [("a:80", False), ("b:80", True)], "bare": [("bare:?", False)]}
    assert [route.label for front in config.frontends for route in front.routes] == ["r", "bare"]
    assert config.tree.broken == []


def test_exposed_by_default_is_the_provider_s():
    text = PROJECT.replace("--providers.docker ", "--providers.docker.exposedbydefault=false ")
    (config,) = labelled(text)
    assert config.pools == []
    (config,) = labelled(text.replace("    labels:\n", "    labels:\n      traefik.enable: true\n"))
    assert len(config.pools) == 1


def test_a_static_file_beside_the_project_belongs_to_it():
    text = PROJECT.replace(
        "    command: --providers.docker --providers.docker.network=front --entrypoints.web.address=:80\n", ""
    )
    static = "entryPoints:\n  edge:\n    address: ':8000'\nproviders:\n  docker: {}\n"
    (config,) = labelled(text, traefik_yml=static)
    assert [source.path for source in config.files] == ["compose.yaml", "traefik.yml"]
    assert [(front.name, len(front.routes)) for front in config.frontends] == [("edge", 1)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


NGINX = """events {}
http {
  upstream app {
    zone a 64k;
    server app:8080;
    server shop:80;
    server apq:8080;
    server db.example.com;
  }
  server { listen 80; location / { proxy_pass http://app; } }
}
"""


def found(folder, text, code="X04"):
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "conf" / "nginx.conf").write_text(NGINX)
    (folder / "compose.yaml").write_text(text)
    result = project.check(Request((".",)), project.judge(Settings()))
    return [(item.place.path, item.severity, item.message) for item in result.findings if item.code == code]


def test_the_config_that_a_service_mounts_meets_the_project_s_names(folder):
    closed = PROJECT.replace("{external: true}", "{}")
    ((path, severity, message),) = found(folder, closed)
    assert (path, severity) == ("conf/nginx.conf", "error")
    assert "no service of the Compose project is called apq" in message
    assert found(folder, PROJECT) == []
    assert found(folder, closed.replace("./conf:", "./other:")) == []
    assert found(folder, closed.replace("services:", "include: [x.yml]\nservices:", 1)) == []


ENVOY = """static_resources:
  clusters:
  - name: a
    type: STRICT_DNS
    load_assignment:
      cluster_name: a
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: app, port_value: 8080}}}
        - endpoint: {address: {socket_address: {address: apq, port_value: 8080}}}
"""


def test_the_endpoints_of_an_envoy_meet_them_too(folder):
    text = "services:\n  app:\n    image: app\n  proxy:\n    image: envoyproxy/envoy\n"
    text += "    volumes: ['./envoy.yaml:/etc/envoy/envoy.yaml']\n"
    (folder / "envoy.yaml").write_text(ENVOY)
    ((path, severity, message),) = found(folder, text)
    assert (path, severity) == ("envoy.yaml", "error")
    assert "no service of the Compose project is called apq; Envoy does not find it, and leaves it out" in message


def test_networks_and_ports(folder):
    closed = PROJECT.replace("{external: true}", "{}")
    apart = closed.replace("    networks: [front]\n", "    networks: [alone]\n")
    said = [(path, message) for path, _, message in found(folder, apart)]
    assert [(path, "share no network (alone; back and front)" in message) for path, message in said] == [
        ("compose.yaml", True),
        ("conf/nginx.conf", True),
        ("conf/nginx.conf", True),
        ("conf/nginx.conf", False),
    ]
    published = closed.replace('"127.0.0.1:9090:8080"', '"80:8080"')
    ((_, severity, message), _) = found(folder, published)
    assert severity == "warning"
    assert "80 is the port of app on the host" in message


@given(st.text("services:\n a{}[]\"'-imgelbtrkhp.=`,0", max_size=100))
def test_any_text_is_read(text):
    source = Source("c.yml", text)
    compose.recognises(source)
    memory = {"c.yml": text, "d.yml": f'services:\n  a:\n    image: b\n    labels: ["traefik.http.{text.strip()!r}"]\n'}
    for path in memory:
        compose.read([path], DiskFiles(memory=memory))
        traefik.read([path], DiskFiles(memory=memory))


LABELS = st.lists(
    st.tuples(
        st.lists(
            st.sampled_from(
                [
                    "http",
                    "tcp",
                    "routers",
                    "services",
                    "a",
                    "loadbalancer",
                    "server",
                    "port",
                    "rule",
                    "x[0]",
                    "tls",
                    "",
                    "[1]",
                ]
            ),
            max_size=6,
        ),
        st.sampled_from(["80", "Host(`a`)", "true", "", "a,b"]),
    ),
    max_size=8,
)


@given(LABELS)
def test_any_labels_are_read(labels):
    lines = "".join(f"      - 'traefik.{'.'.join(path)}={value}'\n" for path, value in labels)
    text = f"services:\n  a:\n    image: traefik\n    labels:\n      - a=b\n{lines}"
    for config in traefik.read(["c.yml"], DiskFiles(memory={"c.yml": text})):
        for check in traefik.CHECKS.values():
            list(check(config, Context()))


INSECURE = """
services:
  proxy:
    image: traefik:v3.6
    command: [--providers.docker, --api.insecure, "--entrypoints.web.address=:80"]
    %s
"""


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        ("ports: ['80:80', '127.0.0.1:443:443/tcp', {target: 9000, published: 9001}]", "info"),
        ("expose: [8080]", "info"),
        ("ports: ['80:80', '8081:8080']", "warning"),
        ("ports: ['80:80', {target: 8080, mode: host}]", "warning"),
        ("ports: ['8000-8100:8000-8100']", "warning"),
        ("ports: ['80:80', '${ADMIN}']", "warning"),
        ("ports: ${PORTS}", "warning"),
        ("network_mode: host", "warning"),
        ("extends: {file: base.yaml, service: proxy}", "warning"),
    ],
)
def test_an_api_whose_port_is_not_published_is_told_at_info(lines, severity):
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": INSECURE % lines}))
    findings = [one for one in project.judge(Settings())(config).findings if one.code == "O01"]
    assert [one.severity for one in findings] == [severity]
    assert ("does not publish" in findings[0].message) is (severity == "info")
    assert "read its routers and its servers' addresses" in findings[0].message
    assert "api@internal" in findings[0].help


@pytest.mark.parametrize(
    ("ports", "severity"),
    [("['80:10000']", "info"), ("['80:10000', '9901:9901']", "error"), ("${PORTS}", "error")],
)
def test_the_admin_interface_of_an_envoy_that_a_service_runs(folder, ports, severity):
    admin = "admin: {address: {socket_address: {address: 0.0.0.0, port_value: 9901}}}\n"
    (folder / "envoy.yaml").write_text(f"{admin}static_resources: {{}}\n")
    mount = "./envoy.yaml:/etc/envoy/envoy.yaml"
    (folder / "compose.yaml").write_text(
        f"services:\n  edge:\n    image: envoy\n    ports: {ports}\n    volumes: ['{mount}']\n"
    )
    result = project.check(Request((".",)), project.judge(Settings()))
    assert [one.severity for one in result.findings if one.code == "O01"] == [severity]


ENVIRONMENT = """
services:
  proxy:
    image: traefik:v3.6
    environment:
      - TRAEFIK_PROVIDERS_DOCKER=true
      - TRAEFIK_ENTRYPOINTS_Web_ADDRESS=:8000
      - TRAEFIK_API_INSECURE=true
      - TRAEFIKEE_API_INSECURE=false
      - TRAEFIK_
      - HOME
    ports: ["8000:8000", "8080:8080"]
  app:
    image: app
    labels:
      - traefik.http.routers.app.rule=Host(`a.example.com`)
      - traefik.http.routers.app.entrypoints=web
      - traefik.http.services.app.loadbalancer.server.port=80
"""


@pytest.mark.parametrize("written", ["list", "mapping"])
def test_a_static_configuration_in_the_environment(written):
    text = ENVIRONMENT
    if written == "mapping":
        text = re.sub(
            r"- (T\w+)=(\S+)", r'\1: "\2"', text.replace("- HOME", "HOME:").replace("- TRAEFIK_\n", "TRAEFIK_:\n")
        )
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    assert [(one.name, one.listeners[0].address.port) for one in config.frontends] == [("web", 8000)]
    assert [one.code for one in project.judge(Settings())(config).findings] == ["O01"]


def test_arguments_count_before_the_environment():
    text = ENVIRONMENT.replace("    environment:", "    command: [--entrypoints.web.address=:9000]\n    environment:")
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    assert [one.listeners[0].address.port for one in config.frontends] == [9000]
    assert [one.code for one in project.judge(Settings())(config).findings] == []


def test_an_image_of_one_s_own_runs_traefik_by_its_arguments():
    text = """
services:
  proxy:
    image: registry.example.com/edge:1
    command: --providers.docker.exposedbydefault=false --entrypoints.web.address=:80 --api.insecure
    labels: {traefik.http.middlewares.auto.contenttype.autodetect: "false"}
    ports: ["80:80", "443:443", "8080:8080"]
"""
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    assert [one.code for one in project.judge(Settings())(config).findings] == ["O01"]
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": re.sub("command: .*", "", text)}))
    assert [front.name for front in config.frontends] == ["default entry points"]


MOUNTED = """
services:
  proxy:
    image: traefik:v3.6
    networks: [web]
    ports: {ports}
    volumes: ["{mount}"]
  app:
    image: app
    networks: [web, data]
    {labels}
"""
LABELLED = "labels: {traefik.http.services.app.loadbalancer.server.port: 80}"


@pytest.mark.parametrize("mount", ["./conf/traefik.yml:/etc/traefik/traefik.yml:ro", "./conf:/etc/traefik"])
@pytest.mark.parametrize("labels", ["restart: always", LABELLED])
@pytest.mark.parametrize(("ports", "told"), [('["80:80"]', ["info"]), ('["80:80", "8080:8080"]', ["warning"])])
def test_a_static_file_of_another_folder_belongs_to_all_that_mount_it(folder, mount, labels, ports, told):
    static = "api: {insecure: true}\nproviders: {docker: {network: shop_web}}\nentryPoints: {web: {address: ':80'}}\n"
    (folder / "conf").mkdir()
    (folder / "conf" / "traefik.yml").write_text(static)
    for name in ("compose.yaml", "compose.local.yaml"):
        (folder / name).write_text(MOUNTED.format(ports=ports, mount=mount, labels=labels))
    result = project.check(Request((".",)), project.judge(Settings()))
    assert {(item.code, item.severity) for item in result.findings} == {("O01", one) for one in told}


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("basicauth.users: a", "basicauth.users: b", True),
        ("basicauth.users: a", "forwardauth.address: http://b", True),
        ("basicauth.users: a", "basicauth.users: a", False),
        ('headers.customrequestheaders.X: "a,b"', 'headers.customrequestheaders.X: "a, b"', False),
        ("basicauth.users: a", "basicauth.realm: b\n      traefik.enable: false", False),
    ],
)
def test_a_middleware_that_two_containers_define(first, second, told):
    text = "services:\n"
    for name, lines in (("one", first), ("two", second)):
        text += f"  {name}:\n    image: app\n    expose: [80]\n    labels:\n"
        text += f"      traefik.http.middlewares.auth.{lines}\n"
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    messages = [one.message for one in project.judge(Settings())(config).findings if one.code == "P14"]
    assert len(messages) == told
    assert all("middleware auth is another one than that of one" in message for message in messages)


NETWORKS = """
services:
  proxy:
    image: traefik:v3.6
    command: --entrypoints.web.address=:80 {argument}
    networks: [web]
  app:
    image: app
    networks: [web, data]
    labels:
      traefik.http.services.app.loadbalancer.server.port: 80
      {label}
networks:
  web: {web}
  data: {{}}
"""


@pytest.mark.parametrize(
    ("argument", "label", "web", "told"),
    [
        ("", "a: b", "{}", "2 networks (web and data)"),
        ("--providers.docker.network=web", "a: b", "{}", "Docker knows none web"),
        ("--providers.docker.network=web", "a: b", "{driver: bridge, external: false}", "Docker knows none web"),
        ("--providers.docker.network=shop_web", "a: b", "{}", None),
        ("--providers.docker.network=web", "a: b", "{name: web}", None),
        ("--providers.docker.network=web", "a: b", "{external: true}", None),
        ("--providers.docker.network=web", "a: b", "{external: {name: web}}", None),
        ("--providers.docker.network=web", "traefik.docker.network: shop_web", "{}", None),
        ("--providers.docker.network=shop_web", "traefik.docker.network: web", "{}", "Docker knows none web"),
    ],
)
def test_the_network_on_which_traefik_reaches_a_container(argument, label, web, told):
    text = NETWORKS.format(argument=argument, label=label, web=web)
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    messages = [one.message for one in project.judge(Settings())(config).findings if one.code == "P14"]
    assert len(messages) == (told is not None)
    assert all(told in message for message in messages)


@pytest.mark.parametrize(
    ("command", "target", "told"),
    [
        ("", "/etc/traefik/traefik.yml", "conf/edge.yml"),
        ("", "/opt/traefik.yml", "conf/edge.yml"),
        ("--entrypoints.web.address=:80 --api.insecure", "/etc/traefik/traefik.yml", "conf/edge.yml"),
        ("--entrypoints.web.address=:80 --api.insecure", "/traefik.yaml", "conf/edge.yml"),
        ("--entrypoints.web.address=:80 --api.insecure", "/etc/traefik/dynamic/edge.yml", "compose.yaml"),
        ("--configFile=/opt/edge.yml", "/opt/edge.yml", "conf/edge.yml"),
    ],
)
def test_arguments_count_where_traefik_finds_no_static_file(folder, command, target, told):
    static = "api: {insecure: true}\nproviders: {docker: {}}\nentryPoints: {web: {address: ':80'}}\n"
    (folder / "conf").mkdir()
    (folder / "conf" / "edge.yml").write_text(static)
    text = MOUNTED.format(ports='["8080:8080"]', mount=f"./conf/edge.yml:{target}", labels=LABELLED)
    (folder / "compose.yaml").write_text(text.replace("    ports:", f"    command: {command}\n    ports:"))
    result = project.check(Request(("compose.yaml", "conf")), project.judge(Settings()))
    mine = [item for item in result.findings if item.code == "O01"]
    assert told in [item.place.path for item in mine]
    assert len({item.config for item in mine}) == (2 if told == "compose.yaml" else 1)


@pytest.mark.parametrize(
    ("line", "codes", "unread"),
    [
        ("image: app:{{ version }}", ["E01"], 0),
        ('hostname: "{{.Node.Hostname}}"', ["E01"], 0),
        ("image: {{ image }}", [], 1),
        ("- {{ folder }}:/data", [], 1),
        ("{% if tls %}", [], 1),
    ],
)
def test_a_template_that_is_no_yaml_yet_is_not_checked(line, codes, unread):
    text = f"services:\n  app:\n    image: 'a\n  {line}\n"
    (config,) = compose.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    assert [hit.code for hit in config.hits] == codes
    assert len(config.unmodelled) == unread


@pytest.mark.parametrize(("image", "codes"), [("traefik:v3.6", []), ("nginx", ["P14"])])
def test_a_redirection_on_the_proxy_s_own_container_needs_no_port(image, codes):
    text = f"""
services:
  proxy:
    image: {image}
    ports: ["80:80", "443:443"]
    labels:
      - traefik.http.routers.all.rule=HostRegexp(`.+`)
      - traefik.http.routers.all.middlewares=https
      - traefik.http.middlewares.https.redirectscheme.scheme=https
"""
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    assert [one.code for one in project.judge(Settings())(config).findings] == codes


@pytest.mark.parametrize("value", ["true", "anything"])
def test_a_router_of_which_only_the_name_is_written(value):
    """paerser 0.2.2 makes an empty router of it, and Traefik gives it the default rule and the only service."""
    (config,) = labelled(
        "services:\n  shop:\n    image: app\n    expose: [80]\n"
        f"    labels: {{traefik.http.routers.app: '{value}', traefik.enable: 'true'}}\n"
    )
    assert not [one for one in project.judge(Settings())(config).findings if one.code == "R11"]
    assert [config.tree.entries.of("http", "routers")["app"].name] == ["app"]
    (config,) = labelled(
        "services:\n  shop:\n    image: app\n    expose: [80]\n    labels: {traefik.tcp.routers.app: 'true'}\n"
    )
    assert "it has no rule" in " ".join(one.message for one in project.judge(Settings())(config).findings)


TWICE = """
services:
  proxy: {{image: "traefik:v3.6", command: [--providers.docker, "--entrypoints.web.address=:80"], ports: ["80:80"]}}
  one:
    image: app
    {first}
    labels:
      traefik.http.routers.one.rule: Host(`a.example.com`)
      traefik.http.routers.one.priority: 100
      traefik.http.routers.same.rule: Host(`1.example.com`)
      traefik.http.services.one.loadbalancer.server.port: 80
  two:
    image: app
    {second}
    labels:
      traefik.http.routers.two.rule: Host(`a.example.com`)
      traefik.http.routers.same.rule: Host(`2.example.com`)
      traefik.http.services.two.loadbalancer.server.port: 80
"""


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        ("restart: always", "restart: always", ["P14", "R02"]),
        ("profiles: [blue]", "profiles: [green]", []),
        ("profiles: [blue]", "profiles: [blue, green]", ["P14"]),
        ("profiles: [blue]", "profiles: [blue]", ["P14", "R02"]),
        ("restart: always", "profiles: [green]", ["P14", "R01"]),
        ("healthcheck: {test: [CMD, true]}", "restart: always", ["P14"]),
        ("healthcheck: {disable: true}", "restart: always", ["P14", "R02"]),
        ("restart: always", "healthcheck: {test: [CMD, true]}", ["P14", "R02"]),
    ],
)
def test_containers_that_are_not_always_there(first, second, codes):
    text = TWICE.format(first=first, second=second)
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    assert sorted(one.code for one in project.judge(Settings())(config).findings) == codes


@pytest.mark.parametrize(
    ("label", "second", "left"),
    [
        ("traefik.http.routers.same.rule: Host(`{0}`)", "restart: always", ["one", "two"]),
        ("traefik.http.routers.same.rule: Host(`a`)", "restart: always", ["one", "two", "same"]),
        ("traefik.http.routers.same.rule: Host(`{0}`)", "profiles: [green]", ["one", "two", "same"]),
        ("traefik.http.middlewares.m.headers.customrequestheaders.X: {0}", "restart: always", ["two"]),
        ("traefik.http.services.one.loadbalancer.sticky.cookie.name: {0}", "restart: always", ["two"]),
    ],
)
def test_a_router_that_traefik_drops_takes_nothing(label, second, left):
    """It is P14's, and traffic shows no requests that come by it."""
    text = "services:\n"
    for name, line in (("one", "restart: always"), ("two", second)):
        text += f"  {name}:\n    image: app\n    {line}\n    expose: [80]\n    labels:\n"
        text += f"      traefik.http.routers.{name}.rule: Host(`{name}`)\n"
        text += f"      traefik.http.routers.{name}.service: {name}\n"
        text += f"      traefik.http.services.{name}.loadbalancer.server.port: 80\n"
        text += f"      {label.format(name)}\n"
        if "routers" in label:
            text += "      traefik.http.routers.same.service: one\n"
        if "middlewares" in label and name == "one":
            text += "      traefik.http.routers.one.middlewares: m\n"
    (config,) = labelled(text)
    assert "P14" in {one.code for one in project.judge(Settings())(config).findings} or "same" in left
    assert {route.label for front in config.frontends for route in front.routes} == set(left)
