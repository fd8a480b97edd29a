"""StatefulSets: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.statefulsets import KIND
from kubus.testing.kinds import created, sent, shown


def test_defaults_go_in_order_and_keep_claims():
    spec = created(KIND, sent(KIND, spec={"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}))["spec"]
    assert spec["podManagementPolicy"] == "OrderedReady"
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["kind"] == "PersistentVolumeClaim"
    assert claim["spec"] == {"volumeMode": "Filesystem"}
    assert claim["status"] == {"phase": "Pending"}


def test_the_row():
    assert shown(KIND, sent(KIND, spec={"replicas": 3}, status={"readyReplicas": 1}))["Ready"] == "1/3"
