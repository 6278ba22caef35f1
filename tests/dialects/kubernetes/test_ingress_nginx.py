"""What ingress-nginx makes of an Ingress, from the manifest to what `check`, `traffic` and `diff` say."""

from __future__ import annotations

import json

import pytest
from dialects.kubernetes.manifests import app, ingress, joined, said


class TestBooleans:
    """Go's strconv.ParseBool reads them."""

    def shop(self, written, weight):
        canary = ingress("next", "b", canary=written, canary_weight=str(weight))
        return joined(app("a", "b"), ingress(), canary)

    @pytest.mark.parametrize("written", ["true", "True", "TRUE", "t", "T", "1"])
    def test_a_canary(self, tmp_path, written):
        assert "60 % of the traffic moves" in said(tmp_path, "diff", self.shop(written, 80), self.shop(written, 20))

    @pytest.mark.parametrize("written", ["false", "0", "F", "yes", "tRUE", " true"])
    def test_no_canary(self, tmp_path, written):
        told = said(tmp_path, "traffic", self.shop(written, 80))
        assert "80 %" not in told
        assert "20 %" not in told


class TestCanaries:
    """Of several canaries of one path the first gets its part, in the controller's order, and the others nothing."""

    def shop(self, *canaries, **more):
        made = [
            ingress(name, to, meta=meta, canary="true", canary_weight=str(weight), **more)
            for name, to, weight, meta in canaries
        ]
        return joined(app("a", "b", "c"), ingress(), *made)

    def at(self, time):
        return {"creationTimestamp": time}

    def test_not_known_without_times(self, tmp_path):
        one, two = ("one", "b", 20, None), ("two", "c", 30, None)
        told = said(tmp_path, "diff", self.shop(one, two), self.shop(one))
        assert "How much traffic moves is not known" in told
        assert "not checked after: 1 place" in told
        assert "which of the canaries one and two gets its part: only the oldest does" in told
        assert "c new pool" in said(tmp_path, "diff", self.shop(one, two), self.shop(one))
        assert "1 place not checked" in said(tmp_path, "gate", self.shop(one, two), self.shop(one))

    @pytest.mark.parametrize(
        ("first", "second", "moved"),
        [
            ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "0 %"),
            ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "30 %"),  # two with 30 % in place of one with 20 %
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "30 %"),  # "two" comes after "one", so it is first
        ],
    )
    def test_the_oldest_gets_its_part(self, tmp_path, first, second, moved):
        one, two = ("one", "b", 20, self.at(first)), ("two", "c", 30, self.at(second))
        told = said(tmp_path, "diff", self.shop(one, two), self.shop(one))
        assert f"{moved} of the traffic moves" in told
        assert "not checked" not in told

    def test_it_does_not_matter_which_where_they_say_the_same(self, tmp_path):
        one, two = ("one", "b", 20, None), ("two", "b", 20, None)
        assert "0 % of the traffic moves" in said(tmp_path, "diff", self.shop(one, two), self.shop(one))

    def test_one_that_leads_where_the_main_one_does_is_passed_over(self, tmp_path):
        one, two = ("one", "b", 20, None), ("two", "a", 30, None)
        assert "0 % of the traffic moves" in said(tmp_path, "diff", self.shop(one, two), self.shop(one))

    def test_other_controllers_have_none(self, tmp_path):
        old, new = (
            joined(
                app("a", "b"), ingress(kind="traefik"), ingress("x", "b", "traefik", path="/x", canary="true", **more)
            )
            for more in ({"canary_weight": "20"}, {"canary_weight": "80"})
        )
        assert "0 % of the traffic moves" in said(tmp_path, "diff", new, old)
        assert "b b × 2" in said(tmp_path, "traffic", new)


class TestDefaultBackend:
    """What an Ingress with rules sends to its defaultBackend."""

    OWN = "shop.example.com:80/ goes to pool b, before to pool a"
    OTHER = "any other host:80/ goes to pool b, before to pool a"

    def told(self, tmp_path, kind, *more, **ruled):
        old, new = (joined(app("a", "b"), ingress(kind=kind, default=to, **ruled), *more) for to in ("a", "b"))
        return said(tmp_path, "diff", new, old)

    def test_ingress_nginx_takes_it_for_the_hosts_of_the_rules(self, tmp_path):
        told = self.told(tmp_path, "nginx", path="/api")
        assert self.OWN in told
        assert "any other host" not in told

    def test_to_other_controllers_it_is_for_every_host(self, tmp_path):
        told = self.told(tmp_path, "traefik", path="/api")
        assert self.OWN in told
        assert self.OTHER in told

    @pytest.mark.parametrize("kind", ["", "inside"])
    def test_without_a_class_that_is_known_other_hosts_are_not(self, tmp_path, kind):
        told = self.told(tmp_path, kind, path="/api")
        assert "host shop.example.com, every request: pool b" in told
        assert "How much traffic moves is not known" in told
        assert "ingress-nginx sends it no requests for other hosts, other controllers do" in told

    @pytest.mark.parametrize(
        ("kind", "controller", "others"),
        [
            ("inside", "k8s.io/ingress-nginx", False),
            ("inside", "traefik.io/ingress-controller", True),
            ("nginx", "nginx.org/ingress-controller", True),
        ],
    )
    def test_an_ingress_class_says_whose_it_is(self, tmp_path, kind, controller, others):
        made = (
            "apiVersion: networking.k8s.io/v1\nkind: IngressClass\n"
            f"metadata: {{name: {kind}}}\nspec: {{controller: {controller}}}\n"
        )
        told = self.told(tmp_path, kind, made, path="/api")
        assert self.OWN in told
        assert (self.OTHER in told) is others

    @pytest.mark.parametrize("kind", ["nginx", "traefik", ""])
    def test_without_rules_it_is_for_every_host(self, tmp_path, kind):
        told = self.told(tmp_path, kind, path=None)
        assert "any other host:80/ goes to pool b, before to pool a" in told
        assert "not checked" not in told

    @pytest.mark.parametrize("kind", ["nginx", "traefik"])
    def test_it_gets_nothing_where_a_rule_takes_every_path(self, tmp_path, kind):
        assert "shop.example.com" not in self.told(tmp_path, kind, path="/")

    def test_of_two_ingresses_of_a_host_the_first_one_s_counts(self, tmp_path):
        other = ingress("other", path="/other")
        told = self.told(tmp_path, "nginx", other, path="/api")
        assert "the defaultBackend of which of shop and other counts" in told
        assert "How much traffic moves is not known" in told
        times = [{"creationTimestamp": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2, 3)]
        later, older = (ingress("other", path="/other", meta=times[at]) for at in (2, 0))
        assert self.OWN in self.told(tmp_path, "nginx", later, path="/api", meta=times[1])
        assert "rerouted" not in self.told(tmp_path, "nginx", older, path="/api", meta=times[1])


_SNIPPET = "what a snippet does to requests"
#: Annotations that are not in the model, and what is said of them.
UNREAD = [
    ("server_snippet", "return 403;", _SNIPPET),
    ("configuration_snippet", 'if ($http_x = "1") { return 403; }', _SNIPPET),
    ("auth_url", "https://user:secret@auth.example.com", "refused by a service that is asked"),
    ("auth_type", "basic", "refused without a password"),
    ("custom_http_errors", "404,503", "answers of a default backend"),
    ("default_backend", "other", "what a default backend gets"),
    ("mirror_target", "https://test.example.com$request_uri", "copies of requests"),
    ("limit_rps", "5", "refused beyond a limit"),
    ("limit_connections", "5", "refused beyond a limit"),
    ("enable_modsecurity", "true", "refused by the web application firewall"),
    ("ssl_passthrough", "true", "connections in TLS that go to the pods unread"),
    ("upstream_hash_by", "{{ .Values.hash }}", "what upstream-hash-by will be"),
]
UNKNOWN = "How much traffic moves is not known"


def changed(folder, kind="nginx", *more, **noted):
    """Return what `diff` says where these annotations come to the Ingress of a shop."""
    old, new = (joined(app("a"), ingress(kind=kind, **keys), *more) for keys in ({}, noted))
    return said(folder, "diff", new, old)


class TestRedirects:
    @pytest.mark.parametrize("name", ["permanent_redirect", "temporal_redirect"])
    def test_no_request_reaches_a_pod(self, tmp_path, name):
        told = changed(tmp_path, **{name: "https://new.example.com"})
        assert "a unchanged, gets 0 % of requests (was 100 %)" in told
        assert "shop.example.com:80/ goes to no pool, before to pool a" in told
        assert "not checked" not in told

    @pytest.mark.parametrize("name", ["permanent_redirect", "temporal_redirect"])
    def test_what_is_no_plain_address_is_not_known(self, tmp_path, name):
        told = changed(tmp_path, **{name: "https://new.example.com$request_uri"})
        assert UNKNOWN in told
        assert "a redirect to what is no plain address" in told

    def test_a_temporal_redirect_that_is_no_address_makes_both_void(self, tmp_path):
        told = changed(tmp_path, temporal_redirect="ftp://x", permanent_redirect="https://new.example.com")
        assert "0 % of the traffic moves" in told

    def test_the_root_of_a_host(self, tmp_path):
        told = changed(tmp_path, app_root="/app")
        assert "shop.example.com:80/ goes to no pool, before to pool a" in told
        assert "shop.example.com:80/…" not in told
        assert "0 % of the traffic moves" in changed(tmp_path, app_root="app")

    def test_the_other_name(self, tmp_path):
        old, new = (joined(app("a"), ingress(**keys)) for keys in ({}, {"from_to_www_redirect": "true"}))
        assert "Ingress www.shop.example.com" in said(tmp_path, "traffic", new, None, "--output-format", "json")
        assert "www.shop" not in said(tmp_path, "traffic", old, None, "--output-format", "json")

    def with_tls(self, **noted):
        made = json.loads(ingress(**noted))
        made["spec"]["tls"] = [{"hosts": ["shop.example.com"], "secretName": "shop"}]
        return joined(app("a"), json.dumps(made))

    def test_plain_requests_where_tls_is(self, tmp_path):
        old, new = (self.with_tls(ssl_redirect=value) for value in ("false", "true"))
        assert UNKNOWN in said(tmp_path, "diff", new, old)
        assert "routes are reached another way" in said(tmp_path, "diff", new, old)
        assert "0 % of the traffic moves" in said(tmp_path, "diff", self.with_tls(), new)
        assert "0 % of the traffic moves" in changed(tmp_path, ssl_redirect="true")
        assert UNKNOWN in changed(tmp_path, force_ssl_redirect="true")

    def test_plain_requests_for_some_paths(self, tmp_path):
        def shop(at):
            made = [ingress(f"p{n}", path=f"/{n}", force_ssl_redirect=str(n in at).lower()) for n in range(8)]
            return joined(app("a"), *made)

        assert UNKNOWN in said(tmp_path, "diff", shop(range(1, 8)), shop(range(7)))
        assert "0 % of the traffic moves" in said(tmp_path, "diff", shop([5, 2]), shop([2, 5]))


class TestHosts:
    def test_an_alias_is_one_more_host(self, tmp_path):
        told = changed(tmp_path, server_alias="www.example.com, m.example.com")
        assert "www.example.com:80/ goes to pool a, before to no pool" in told
        assert "m.example.com:80/ goes to pool a, before to no pool" in told
        assert "not checked" not in told

    def test_an_alias_that_is_a_host_of_its_own_is_passed_over(self, tmp_path):
        other = ingress("other", host="www.example.com")
        assert "0 % of the traffic moves" in changed(tmp_path, "nginx", other, server_alias="www.example.com")

    def test_expressions_are_for_all_paths_of_a_host(self, tmp_path):
        other = ingress("other", path="/API")
        told = changed(tmp_path, "nginx", other, use_regex="true")
        assert UNKNOWN in told
        assert "path prefix /API" in told

    @pytest.mark.parametrize(
        ("target", "expected"), [("/new/$1", "path regex ^/old/(.*)"), ("https://x", "may redirect")]
    )
    def test_a_target_makes_expressions_of_paths(self, tmp_path, target, expected):
        old, new = (joined(app("a"), ingress(path="/old/(.*)", **keys)) for keys in ({}, {"rewrite_target": target}))
        assert expected in said(tmp_path, "diff", new, old)

    def test_a_path_without_expressions_or_letters_stays_what_it_is(self, tmp_path):
        told = changed(tmp_path, rewrite_target="/new")
        assert "0 % of the traffic moves" in told
        assert "not checked" not in told


class TestWhoIsLetIn:
    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("whitelist_source_range", "10.0.0.0/8", "source exact 10.0.0.0/8: pool a"),
            ("allowlist_source_range", "10.0.0.1, 10.1.0.0/16", "source exact 10.0.0.1/32 and 10.1.0.0/16: pool a"),
            ("denylist_source_range", "10.0.0.0/8", "not source exact 10.0.0.0/8: pool a"),
            ("enable_cors", "True", "not method exact OPTIONS: pool a"),
        ],
    )
    def test_is_read(self, tmp_path, name, value, expected):
        told = changed(tmp_path, **{name: value})
        assert UNKNOWN in told
        assert expected in told
        assert "not checked" not in told

    def test_ranges_that_are_none(self, tmp_path):
        assert "the ranges are none that can be read" in changed(tmp_path, whitelist_source_range="office")


class TestNotKnown:
    """What is not in the model: neither 0 %, nor without a word."""

    @pytest.mark.parametrize(("name", "value", "reason"), UNREAD)
    def test_it_is_told(self, tmp_path, name, value, reason):
        told = changed(tmp_path, **{name: value})
        assert "not checked after: 1 place" in told
        assert reason in told
        assert UNKNOWN in told
        assert "secret" not in told
        text = joined(app("a"), ingress(**{name: value}))
        assert "in the parts that were checked" in said(tmp_path, "check", text)
        assert "1 place not checked" in said(tmp_path, "gate", text, joined(app("a"), ingress()))
        (tmp_path / "gate.toml").write_text("[gate]\nmoved = 0.05\n")
        limited = said(tmp_path, "gate", text, joined(app("a"), ingress()), "--config", str(tmp_path / "gate.toml"))
        assert limited.startswith("NO-GO")

    @pytest.mark.parametrize(("name", "value"), [(name, value) for name, value, _ in UNREAD])
    def test_what_does_not_change_moves_nothing(self, tmp_path, name, value):
        text = joined(app("a"), ingress(**{name: value}))
        assert "0 % of the traffic moves" in said(tmp_path, "diff", text, text)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("configuration_snippet", "# say so\nmore_set_headers \"X-A: b;{}\";\nproxy_set_header X-B 'c';"),
            ("server_snippet", "gzip on;\n"),
            ("limit_rps", "0"),
            ("enable_modsecurity", "false"),
            ("ssl_passthrough", "0"),
            ("proxy_body_size", "8m"),
            ("permanent_redirect", ""),
            ("load_balance", "round_robin"),
        ],
    )
    def test_what_does_nothing_to_requests_is_not(self, tmp_path, name, value):
        told = changed(tmp_path, **{name: value})
        assert "0 % of the traffic moves" in told
        assert "not checked" not in told

    @pytest.mark.parametrize(
        "snippet", ["proxy_pass http://x;", "set $a 1;", 'add_header "a;', "more_set_headers a; deny all;"]
    )
    def test_other_directives_may(self, tmp_path, snippet):
        assert UNKNOWN in changed(tmp_path, configuration_snippet=snippet)

    def test_a_server_snippet_is_for_all_paths_of_the_host(self, tmp_path):
        told = changed(tmp_path, "nginx", ingress("other", path="/other"), server_snippet="deny all;")
        assert "path_prefix /other and opaque" in told

    def test_another_class_has_no_annotations_of_ingress_nginx(self, tmp_path):
        told = changed(tmp_path, "traefik", permanent_redirect="https://x.example.com", upstream_hash_by="$uri")
        assert "0 % of the traffic moves" in told

    @pytest.mark.parametrize(
        ("kind", "key"),
        [
            ("traefik", "traefik.ingress.kubernetes.io/router.middlewares"),
            ("", "traefik.ingress.kubernetes.io/service.sticky.cookie"),
            ("haproxy", "haproxy.org/load-balance"),
            ("alb", "alb.ingress.kubernetes.io/actions.a"),
            ("nginx", "nginx.org/server-snippets"),
        ],
    )
    def test_other_controllers(self, tmp_path, kind, key):
        told = changed(tmp_path, kind, **{key: "x"})
        assert UNKNOWN in told
        assert f"what {key} does to requests" in told

    def test_other_controllers_are_not_asked_where_ingress_nginx_is(self, tmp_path):
        told = changed(tmp_path, "nginx", **{"alb.ingress.kubernetes.io/actions.a": "x"})
        assert "0 % of the traffic moves" in told


class TestPods:
    """How ingress-nginx chooses among the pods of a Service."""

    @pytest.mark.parametrize(
        ("noted", "expected"),
        [
            (
                {"upstream_hash_by": "$request_uri"},
                "kube-proxy → chash: after: the ring is made of the pods' addresses",
            ),
            ({"upstream_hash_by": "$uri", "upstream_hash_by_subset": "true"}, "kube-proxy → chashsubset"),
            ({"affinity": "cookie"}, "kube-proxy → sticky balanced"),
            ({"affinity": "cookie", "upstream_hash_by": "$uri"}, "kube-proxy → sticky balanced"),
            ({"load_balance": "ewma"}, "kube-proxy → ewma: after: pods that answer faster get more"),
        ],
    )
    def test_shares_are_not_known(self, tmp_path, noted, expected):
        told = changed(tmp_path, **noted)
        assert expected in told
        assert UNKNOWN in told
        assert "shares not known" in said(tmp_path, "traffic", joined(app("a"), ingress(**noted)))

    @pytest.mark.parametrize(
        "noted",
        [
            {"affinity": "cookie", "affinity_mode": "persistent"},
            {"service_upstream": "true"},
            {"service_upstream": "true", "upstream_hash_by": "$uri", "affinity": "cookie"},
            {"backend_protocol": "GRPC"},
        ],
    )
    def test_all_pods_get_the_same_and_it_is_a_change(self, tmp_path, noted):
        told = changed(tmp_path, **noted)
        assert "1 pool changed" in told
        assert "0 % of the traffic moves" in told
        assert "50 % each" in said(tmp_path, "traffic", joined(app("a"), ingress(**noted)))

    def test_another_key(self, tmp_path):
        old, new = (joined(app("a"), ingress(upstream_hash_by=key)) for key in ("$uri", "$remote_addr"))
        assert "1 pool changed" in said(tmp_path, "diff", new, old)
        assert UNKNOWN in said(tmp_path, "diff", new, old)

    def test_a_canary_is_as_sticky_as_its_ingress(self, tmp_path):
        def told(**more):
            canary = ingress("next", "b", canary="true", canary_weight="20", **more)
            return said(tmp_path, "traffic", joined(app("a", "b"), ingress(affinity="cookie"), canary))

        assert "Shares of 2 pools not known" in told()
        assert "Shares of 1 pool not known" in told(affinity_canary_behavior="legacy")

    def test_of_two_ingresses_the_first_says_it(self, tmp_path):
        times = [{"creationTimestamp": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2)]
        hashed, plain = ({"name": name, "path": f"/{name}"} for name in ("hashed", "plain"))

        def told(first=None, second=None):
            made = (ingress(upstream_hash_by="$uri", meta=first, **hashed), ingress(meta=second, **plain))
            return said(tmp_path, "traffic", joined(app("a"), *made))

        assert "which of hashed and plain says how pods are chosen" in told()
        assert "the ring is made of the pods' addresses" in told(times[0], times[1])
        assert "50 % each" in told(times[1], times[0])

    def test_one_that_is_sticky_is_enough(self, tmp_path):
        made = (ingress("one", path="/one", affinity="cookie"), ingress("two", path="/two"))
        told = said(tmp_path, "traffic", joined(app("a"), *made))
        assert "the ring is made of the pods' addresses" in told
        assert "not checked" not in told

    def test_others_who_send_requests_there_do_not_choose_so(self, tmp_path):
        other = ingress("other", kind="traefik", path="/other")
        told = said(tmp_path, "traffic", joined(app("a"), ingress(upstream_hash_by="$uri"), other))
        assert "those who send requests there do not all choose pods as this annotation says" in told
        assert "shares not known" in told
