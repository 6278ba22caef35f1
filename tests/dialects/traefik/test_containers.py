"""Which containers of a Compose project Traefik has, and what it makes of them."""

from __future__ import annotations

import pytest
from dialects.traefik.asked import PROXY, compared, service, told

THREE = PROXY + service("app", "scale: 3")


@pytest.mark.parametrize("nobody", ["scale: 0", "deploy: {replicas: 0}"])
def test_of_a_service_scaled_to_0_there_is_no_container_and_none_of_its_labels(tmp_path, nobody):
    text = PROXY + service("app", nobody)
    assert told(tmp_path, "traffic", text) == ["0 pools in 1 config"]
    said = told(tmp_path, "diff", THREE, text)
    assert "rerouted: x.example.com:80/ goes to no pool, before to pool app" in said
    assert said[-1].endswith("1 pool removed")


def test_the_containers_of_others_keep_what_one_scaled_to_0_has_beside_them(tmp_path):
    found = compared(tmp_path, THREE + service("old", "scale: 1"), THREE + service("old", "scale: 0"))
    (pool,) = found["pools"]
    assert found["moved"] == pytest.approx(0.25)
    assert [(one["address"], one["after"]) for one in pool["servers"]] == [("app:8080", 1.0), ("old:8080", None)]


def test_how_many_containers_a_variable_says_is_not_known(tmp_path):
    said = told(tmp_path, "traffic", PROXY + service("app", 'scale: "${SCALE:-2}"'))
    assert any("shares not known: how many containers of app:8080 run is not known" in line for line in said)
