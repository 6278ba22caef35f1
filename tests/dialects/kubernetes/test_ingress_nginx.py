"""What ingress-nginx makes of an Ingress, from the manifest to what `check`, `traffic` and `diff` say."""

from __future__ import annotations

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
