"""Pods: what an update may change."""

from __future__ import annotations

import pytest

from kubus.model.kinds.pods import KIND
from kubus.testing.kinds import complaints, copy_of, created, sent

OLD = created(KIND, sent(KIND, spec={"containers": [{"name": "c", "image": "i"}], "nodeName": "n"}))


def _changed(**fields):
    new = copy_of(OLD)
    new["spec"].update(fields)
    return new


def _with_container(**fields):
    return _changed(containers=[{**OLD["spec"]["containers"][0], **fields}])


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        _with_container(image="j"),
        _changed(activeDeadlineSeconds=60),
        _changed(tolerations=[{"operator": "Exists"}]),
    ],
)
def test_image_deadline_and_tolerations_may_change(new):
    assert complaints(KIND, new, OLD) == []


def test_nothing_else_may():
    (error,) = complaints(KIND, _with_container(args=["x"]), OLD)
    assert error.startswith(
        "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
        "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
        "(allow it to be set to 1 if it was previously negative)\n"
    )
    assert 'containers[0].args: ["x"]' in error


GATED = created(
    KIND,
    sent(
        KIND,
        spec={
            "containers": [{"name": "c", "image": "i"}],
            "schedulingGates": [{"name": "a"}, {"name": "b"}],
            "nodeSelector": {"disk": "ssd"},
        },
    ),
)
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
        }
    }
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"schedulingGates": [{"name": "a"}]}, []),
        ({"nodeSelector": {"disk": "ssd", "zone": "x"}}, []),
        ({"affinity": AFFINITY}, []),
        (
            {"schedulingGates": [{"name": "z"}]},
            ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'z'"],
        ),
        (
            {"nodeSelector": {"disk": "hdd"}},
            [
                'spec.nodeSelector: Invalid value: {"disk":"hdd"}: '
                "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            ],
        ),
    ],
)
def test_a_gated_pod_may_be_narrowed(fields, expected):
    new = copy_of(GATED)
    new["spec"].update(fields)
    assert complaints(KIND, new, GATED) == expected


def test_containers_do_not_come_or_go():
    new = _changed(containers=[*OLD["spec"]["containers"], {"name": "d", "image": "i"}])
    assert "spec.containers: Forbidden: pod updates may not add or remove containers" in complaints(KIND, new, OLD)


def test_a_deadline_only_shrinks():
    old = _changed(activeDeadlineSeconds=60)
    assert complaints(KIND, _changed(activeDeadlineSeconds=90), old) == [
        "spec.activeDeadlineSeconds: Invalid value: 90: must be less than or equal to previous value"
    ]


def test_tolerations_are_only_added():
    old = _changed(tolerations=[{"operator": "Exists"}])
    assert complaints(KIND, _changed(tolerations=[]), old) == [
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
    ]


def test_an_ordinary_update_changes_no_ephemeral_containers():
    old = _changed(ephemeralContainers=[{"name": "d", "image": "i"}])
    (complaint,) = complaints(KIND, OLD, old)
    assert complaint.startswith("spec: Forbidden: pod updates may not change fields other than")
