"""Volumes of pods."""

from __future__ import annotations

import pytest

from kubus.model.validation.values import size_errors
from kubus.model.validation.volumes import volumes_errors

TOKEN = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}

CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.mark.parametrize(
    "source",
    [
        {"emptyDir": {}},
        {"hostPath": {"path": "/tmp", "type": ""}},
        {"secret": {"secretName": "s", "items": [{"key": "a", "path": "b/c"}]}},
        {"configMap": {"name": "m", "defaultMode": 0o600}},
        {"persistentVolumeClaim": {"claimName": "c"}},
        {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels"}}]}},
        {"projected": {"sources": [TOKEN, {"configMap": {"name": "m"}}]}},
        {"nfs": {"server": "s", "path": "/export"}},
        {"csi": {"driver": "Secrets.example.com"}},
        {"image": {"reference": "r", "pullPolicy": "Never"}},
        {"ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}},
    ],
)
def test_ordinary_sources_are_fine(source):
    assert volumes_errors([{"name": "v", **source}], "p") == []


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({"name": "", "emptyDir": {}}, "p[0].name: Required value"),
        ({"name": "v"}, "p[0]: Required value: must specify a volume type"),
        (
            {"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}},
            "p[0].hostPath: Forbidden: may not specify more than 1 volume type",
        ),
        ({"name": "v", "nfs": {"path": "/"}}, "p[0].nfs.server: Required value"),
        (
            {"name": "v", "nfs": {"server": "s", "path": "x"}},
            'p[0].nfs.path: Invalid value: "x": must be an absolute path',
        ),
        ({"name": "v", "csi": {}}, "p[0].csi.driver: Required value"),
        (
            {"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {}}},
            "p[0].csi.nodePublishSecretRef.name: Required value",
        ),
        ({"name": "v", "image": {}}, "p[0].image.reference: Required value"),
        ({"name": "v", "ephemeral": {}}, "p[0].ephemeral.volumeClaimTemplate: Required value"),
        (
            {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {**CLAIM, "accessModes": []}}}},
            "p[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
        ),
        ({"name": "v", "hostPath": {}}, "p[0].hostPath.path: Required value"),
        (
            {"name": "v", "hostPath": {"path": "/a/../b"}},
            "p[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
        ),
        ({"name": "v", "secret": {}}, "p[0].secret.secretName: Required value"),
        (
            {"name": "v", "configMap": {"name": "m", "defaultMode": 512}},
            "p[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), "
            "both inclusive",
        ),
        (
            {"name": "v", "secret": {"secretName": "s", "items": [{"key": "a", "path": "/b"}]}},
            'p[0].secret.items[0].path: Invalid value: "/b": must be a relative path',
        ),
        ({"name": "v", "persistentVolumeClaim": {}}, "p[0].persistentVolumeClaim.claimName: Required value"),
        (
            {"name": "v", "downwardAPI": {"items": [{"path": "x"}]}},
            "p[0].downwardAPI.items[0]: Required value: one of fieldRef and resourceFieldRef is required",
        ),
        (
            {"name": "v", "projected": {"sources": [{}]}},
            "p[0].projected.sources[0]: Required value: must specify a projected volume source",
        ),
        (
            {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 5}}]}},
            "p[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: "
            "may not specify a duration less than 10 minutes",
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(volume, expected):
    assert [str(error) for error in volumes_errors([volume], "p")] == [expected]


def test_names_of_volumes_are_unique():
    volume = {"name": "v", "emptyDir": {}}
    assert [str(error) for error in volumes_errors([volume, volume], "p")] == ['p[1].name: Duplicate value: "v"']


@pytest.mark.parametrize(("size", "count"), [("1Gi", 0), ("0", 1), ("-1", 1)])
def test_sizes_are_above_zero(size, count):
    assert len(size_errors(size, "p")) == count
