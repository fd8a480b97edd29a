"""Volumes, claims and storage classes: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.persistentvolumeclaims import KIND as CLAIMS
from kubus.model.kinds.persistentvolumes import KIND as VOLUMES
from kubus.model.kinds.storageclasses import KIND as CLASSES
from kubus.testing.kinds import complaints, created, sent

MODES = ["ReadWriteOnce"]


def _volume(**spec):
    fine = {"accessModes": MODES, "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/data"}}
    return created(VOLUMES, sent(VOLUMES, spec={**fine, **spec}))


def _claim(size="1Gi", **spec):
    fine = {"accessModes": MODES, "resources": {"requests": {"storage": size}}}
    return created(CLAIMS, sent(CLAIMS, spec={**fine, **spec}))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        ({"accessModes": []}, ["spec.accessModes: Required value: at least 1 access mode is required"]),
        ({"capacity": {}}, ["spec.capacity: Required value"]),
        ({"capacity": {"storage": "0"}}, ['spec.capacity[storage]: Invalid value: "0": must be greater than zero']),
        ({"nfs": {}}, ["spec.nfs: Forbidden: may not specify more than 1 volume type"]),
        (
            {"accessModes": ["Any"]},
            [
                'spec.accessModes: Unsupported value: "Any": supported values: '
                '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
            ],
        ),
    ],
)
def test_volumes(spec, expected):
    assert complaints(VOLUMES, _volume(**spec)) == expected


def test_a_volumes_source_stays():
    assert complaints(VOLUMES, _volume(hostPath={"path": "/other"}), _volume()) == [
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"
    ]


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (_claim(), []),
        (_claim(resources={}), ["spec.resources[storage]: Required value"]),
        (
            _claim(volumeMode="Tape"),
            ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
        ),
        (
            _claim(accessModes=["ReadWriteOncePod", "ReadWriteOnce"]),
            ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
        ),
    ],
)
def test_claims(claim, expected):
    assert complaints(CLAIMS, claim) == expected


def test_a_claim_only_grows_and_is_bound():
    old = _claim()
    assert complaints(CLAIMS, _claim(size="2Gi"), old) == []
    assert complaints(CLAIMS, _claim(volumeName="pv"), old) == []
    assert complaints(CLAIMS, _claim(size="1Mi"), old) == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]
    assert complaints(CLAIMS, _claim(storageClassName="fast"), old) == [
        "spec: Forbidden: spec is immutable after creation except resources.requests and "
        "volumeAttributesClassName for bound claims"
    ]


def test_storage_classes_hardly_change():
    old = created(CLASSES, sent(CLASSES, provisioner="p", parameters={"a": "b"}))
    new = created(CLASSES, sent(CLASSES, provisioner="p", reclaimPolicy="Retain"))
    assert complaints(CLASSES, old) == []
    assert complaints(CLASSES, new, old) == [
        "parameters: Forbidden: updates to parameters are forbidden.",
        'reclaimPolicy: Invalid value: "Retain": field is immutable',
    ]
