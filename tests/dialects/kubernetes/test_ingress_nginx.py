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
