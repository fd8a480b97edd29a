"""What fulfils `PodApi` does so with the same parameters."""

from __future__ import annotations

import inspect

import pytest

from kubus_kubelet.cluster import ClusterApi
from kubus_kubelet.node_tools import PodApi

METHODS = ["fetch", "token", "api_environment", "report", "finish", "record"]


@pytest.mark.parametrize("method", METHODS)
def test_the_cluster_is_a_pod_api(method):
    wanted, given = (inspect.signature(getattr(each, method)) for each in (PodApi, ClusterApi))
    assert list(wanted.parameters) == list(given.parameters)
