"""Mounts and block devices of containers."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.validation.mounts import mounts_errors

VOLUMES = {"v": {"name": "v", "emptyDir": {}}, "d": {"name": "d", "persistentVolumeClaim": {"claimName": "c"}}}
MOUNT = {"name": "v", "mountPath": "/v"}
DEVICE = {"name": "d", "devicePath": "/dev/x"}


@pytest.mark.parametrize(
    ("mounts", "devices", "expected"),
    [
        ([MOUNT], [DEVICE], []),
        (
            [{"mountPath": "/v"}],
            [],
            ["p.volumeMounts[0].name: Required value", 'p.volumeMounts[0].name: Not found: ""'],
        ),
        ([{"name": "v"}], [], ["p.volumeMounts[0].mountPath: Required value"]),
        ([{"name": "w", "mountPath": "/w"}], [], ['p.volumeMounts[0].name: Not found: "w"']),
        ([MOUNT, MOUNT], [], ['p.volumeMounts[1].mountPath: Invalid value: "/v": must be unique']),
        ([{**MOUNT, "subPath": "/a"}], [], ['p.volumeMounts.subPath: Invalid value: "/a": must be a relative path']),
        (
            [{**MOUNT, "subPath": "a", "subPathExpr": "b"}],
            [],
            ['p.volumeMounts[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive'],
        ),
        (
            [{**MOUNT, "mountPropagation": "Sideways"}],
            [],
            [
                'p.volumeMounts.mountPropagation: Unsupported value: "Sideways": supported values: '
                '"Bidirectional", "HostToContainer", "None"'
            ],
        ),
        (
            [{**MOUNT, "mountPropagation": "Bidirectional"}],
            [],
            [
                "p.volumeMounts.mountPropagation: Forbidden: "
                "Bidirectional mount propagation is available only to privileged containers"
            ],
        ),
        (
            [{**MOUNT, "recursiveReadOnly": "Enabled"}],
            [],
            ["p.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"],
        ),
        ([], [{"name": "d"}], ["p.volumeDevices[0].devicePath: Required value"]),
        ([], [{"name": "x", "devicePath": "/x"}], ['p.volumeDevices[0].name: Not found: "x"']),
        (
            [],
            [{"name": "v", "devicePath": "/x"}],
            [
                'p.volumeDevices[0].name: Invalid value: "v": '
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            ],
        ),
        (
            [],
            [{"name": "d", "devicePath": "/a/../b"}],
            ["p.volumeDevices[0].devicePath: Invalid value: \"/a/../b\": can not contain backsteps ('..')"],
        ),
        (
            [{"name": "d", "mountPath": "/m"}],
            [DEVICE],
            [
                'p.volumeMounts[0].name: Invalid value: "d": must not already exist in volumeDevices',
                'p.volumeDevices[0].name: Invalid value: "d": must not already exist in volumeMounts',
            ],
        ),
    ],
)
def test_mounts_and_devices(mounts: Any, devices: Any, expected: list[str]) -> None:
    container = {"volumeMounts": mounts, "volumeDevices": devices}
    assert [str(error) for error in mounts_errors(container, VOLUMES, "p")] == expected


def test_privileged_containers_may_propagate_both_ways() -> None:
    mount = {**MOUNT, "mountPropagation": "Bidirectional"}
    assert mounts_errors({"volumeMounts": [mount], "securityContext": {"privileged": True}}, VOLUMES, "p") == []
