"""Deployments, ReplicaSets, DaemonSets, StatefulSets and ReplicationControllers: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.errors import invalid_object
from kubus.model.kinds.daemonsets import KIND as DAEMON_SETS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.replicasets import KIND as REPLICA_SETS
from kubus.model.kinds.replicationcontrollers import KIND as CONTROLLERS
from kubus.model.kinds.statefulsets import KIND as STATEFUL_SETS
from kubus.model.validation import object_errors
from kubus.testing.kinds import complaints, created, sent

KINDS = (DEPLOYMENTS, REPLICA_SETS, DAEMON_SETS, STATEFUL_SETS)


def _workload(kind, *, pod=None, labels=None, **spec):
    template = {
        "metadata": {"labels": labels or {"app": "a"}},
        "spec": {"containers": [{"name": "c", "image": "i"}], **(pod or {})},
    }
    return created(kind, sent(kind, spec={"selector": {"matchLabels": {"app": "a"}}, "template": template, **spec}))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_an_ordinary_workload_is_fine(kind):
    assert complaints(kind, _workload(kind)) == []


def test_the_whole_message_reads_as_kubernetes_prints_it():
    obj = _workload(DEPLOYMENTS, labels={"app": "b"})
    error = invalid_object("Deployment", "apps", "x", object_errors(DEPLOYMENTS, obj, None))
    assert error.message == (
        'Deployment.apps "x" is invalid: spec.template.metadata.labels: Invalid value: {"app":"b"}: '
        "`selector` does not match template `labels`"
    )


@pytest.mark.parametrize("kind", (DEPLOYMENTS, REPLICA_SETS, DAEMON_SETS), ids=lambda kind: kind.plural)
def test_selectors_never_change(kind):
    old = _workload(kind)
    new = _workload(kind, selector={"matchLabels": {"app": "a", "b": "c"}}, labels={"app": "a", "b": "c"})
    assert complaints(kind, new, old) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"a","b":"c"}}: field is immutable'
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_pods_of_a_workload_run_for_ever(kind):
    assert complaints(kind, _workload(kind, pod={"restartPolicy": "Never"})) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'
    ]
    (error,) = complaints(kind, _workload(kind, pod={"activeDeadlineSeconds": 5}))
    assert error.startswith("spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in")


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        (DEPLOYMENTS, {"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (
            DEPLOYMENTS,
            {"strategy": {"type": "Fast"}},
            'spec.strategy.type: Unsupported value: "Fast": supported values: "Recreate", "RollingUpdate"',
        ),
        (
            DEPLOYMENTS,
            {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
        ),
        (
            DEPLOYMENTS,
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}},
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
        ),
        (
            DEPLOYMENTS,
            {"progressDeadlineSeconds": 10, "minReadySeconds": 10},
            "spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds",
        ),
        (
            DAEMON_SETS,
            {"updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}},
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: "
            "may not be set when `maxUnavailable` is non-zero",
        ),
        (
            DAEMON_SETS,
            {"updateStrategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when `maxSurge` is 0",
        ),
        (
            STATEFUL_SETS,
            {"podManagementPolicy": "Chaos"},
            "spec.podManagementPolicy: Invalid value: \"Chaos\": must be 'OrderedReady' or 'Parallel'",
        ),
        (
            STATEFUL_SETS,
            {"updateStrategy": {"rollingUpdate": {"partition": -1}}},
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        ),
    ],
)
def test_strategies_and_counts(kind, spec, expected):
    assert complaints(kind, _workload(kind, **spec)) == [expected]


def _claim(name, mode="Filesystem"):
    resources = {"requests": {"storage": "1Gi"}}
    return {
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources, "volumeMode": mode},
    }


@pytest.mark.parametrize("containers", ("containers", "initContainers"))
@pytest.mark.parametrize(
    ("volumes", "use"),
    (
        ([], {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
        ([], {"volumeDevices": [{"name": "data", "devicePath": "/dev/data"}]}),
        ([{"name": "tmp", "emptyDir": {}}], {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
        ([{"name": "data", "emptyDir": {}}], {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
        ([{"name": "data", "emptyDir": {}}], {"volumeDevices": [{"name": "data", "devicePath": "/dev/data"}]}),
    ),
)
def test_a_stateful_set_may_use_its_own_claims(containers, volumes, use):
    pod = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes}
    pod[containers] = [{"name": "c" if containers == "containers" else "first", "image": "i", **use}]
    assert complaints(STATEFUL_SETS, _workload(STATEFUL_SETS, pod=pod, volumeClaimTemplates=[_claim("data")])) == []


def test_a_stateful_set_may_not_use_a_claim_that_it_has_not():
    mount = {"name": "other", "mountPath": "/data"}
    pod = {"containers": [{"name": "c", "image": "i", "volumeMounts": [mount]}]}
    assert complaints(STATEFUL_SETS, _workload(STATEFUL_SETS, pod=pod, volumeClaimTemplates=[_claim("data")])) == [
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "other"'
    ]


def test_little_of_a_stateful_set_may_change():
    old = _workload(STATEFUL_SETS)
    assert complaints(STATEFUL_SETS, _workload(STATEFUL_SETS, replicas=5), old) == []
    assert complaints(STATEFUL_SETS, _workload(STATEFUL_SETS, serviceName="s"), old) == [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
        "are forbidden"
    ]


def test_a_replication_controllers_selector_is_a_map():
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    fine = created(CONTROLLERS, sent(CONTROLLERS, spec={"template": template}))
    assert complaints(CONTROLLERS, fine) == []
    wrong = {**fine, "spec": {**fine["spec"], "selector": {"a": "c"}}}
    assert complaints(CONTROLLERS, wrong) == [
        'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`'
    ]
