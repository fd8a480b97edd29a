"""Scales of objects."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.replicationcontrollers import KIND as CONTROLLERS
from kubus.model.schema import load_schemas
from kubus_apiserver.writing.patching import Patch
from kubus_apiserver.writing.scales import scale_of, scale_patched, scaled


def deployment() -> dict[str, Any]:
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}, "matchExpressions": []}}
    return {"metadata": {"name": "d", "uid": "u", "labels": {}}, "spec": spec, "status": {"replicas": 1}}


def test_a_scale_shows_replicas_and_the_selector_as_text() -> None:
    scale = scale_of(DEPLOYMENTS, deployment())
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "a=b"})
    assert scale["metadata"] == {"name": "d", "uid": "u"}
    plain = {"metadata": {"name": "d"}, "spec": {"selector": {"a": "b"}}}
    assert scale_of(CONTROLLERS, plain)["status"]["selector"] == "a=b"


def test_a_scale_is_written_and_patched() -> None:
    assert scaled(DEPLOYMENTS, {"spec": {"replicas": 7}})(deployment())["spec"]["replicas"] == 7
    patch = Patch(DEPLOYMENTS, "merge", {"spec": {"replicas": 3}}, load_schemas())
    assert scale_patched(DEPLOYMENTS, patch)(deployment())["spec"]["replicas"] == 3


@pytest.mark.parametrize(("replicas", "code"), [(-1, 422), ("x", 400), (True, 400)])
def test_a_scale_without_a_number_is_refused(replicas: Any, code: int) -> None:
    with pytest.raises(StatusError) as refused:
        scaled(DEPLOYMENTS, {"metadata": {"name": "d"}, "spec": {"replicas": replicas}})
    assert refused.value.code == code
