"""One good object of every kind that the conformance list puts through its API, and a change of its status."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

Object = dict[str, Any]
CONDITION: Object = {
    "type": "StatusUpdate",
    "status": "True",
    "reason": "E2E",
    "message": "set by a test",
    "lastTransitionTime": "2024-01-01T00:00:00Z",
}


class Api(NamedTuple):
    """A collection to go through."""

    group: str
    version: str
    resource: str
    kind: str
    namespaced: bool
    body: Object
    """Without apiVersion, kind and metadata."""
    status: Object | None = None
    """What a patch of the status sets."""
    suffix: str = ""
    """What every name ends with."""

    @property
    def api_version(self) -> str:
        """`v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """`/apis/apps/v1`."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str) -> str:
        """The collection's path."""
        return (
            f"{self.root}/namespaces/{namespace}/{self.resource}" if self.namespaced else f"{self.root}/{self.resource}"
        )

    def object(self, name: str, run: str, namespace: str) -> Object:
        """One of them, labelled with the run of a test."""
        metadata = {"name": f"{name}{self.suffix}", "labels": {"e2e-run": run}}
        body: Object = json.loads(json.dumps(self.body).replace("$NAMESPACE", namespace).replace("$NAME", name))
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata, **body}


_POD: Object = {"containers": [{"name": "c", "image": "example.invalid/none:1", "command": ["sleep", "1"]}]}
_NOWHERE: Object = {**_POD, "nodeSelector": {"no-such-node": "true"}}
_LABELS = {"app": "conformance"}
_TEMPLATE: Object = {"metadata": {"labels": _LABELS}, "spec": _NOWHERE}
_RULES = [
    {
        "subjects": [{"kind": "User", "user": {"name": "example"}}],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}],
    }
]
_LEVEL = {"type": "Limited", "limited": {"nominalConcurrencyShares": 2, "limitResponse": {"type": "Reject"}}}
_CONDITIONS = {"conditions": [CONDITION]}
_POLICY = {
    "matchConstraints": {
        "resourceRules": [
            {"operations": ["CREATE"], "apiGroups": ["example.com"], "apiVersions": ["v1"], "resources": ["none"]}
        ]
    },
    "validations": [{"expression": "true"}],
}
_HOOK = {
    "name": "e2e.example.com",
    "clientConfig": {"url": "https://192.0.2.1/none"},
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "rules": [
        {"operations": ["CREATE"], "apiGroups": ["e2e.example.com"], "apiVersions": ["v1"], "resources": ["none"]}
    ],
}
_DEFINITION = {
    "group": "e2e.example.com",
    "scope": "Namespaced",
    "names": {"plural": "$NAME", "singular": "$NAME", "kind": "$NAME", "listKind": "$NAMElist"},
    "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
}
_VOLUME = {
    "capacity": {"storage": "1Mi"},
    "accessModes": ["ReadWriteOnce"],
    "storageClassName": "e2e-none",
    "csi": {"driver": "e2e.example.com", "volumeHandle": "h"},
}
_CLAIM = {
    "accessModes": ["ReadWriteOnce"],
    "storageClassName": "e2e-none",
    "resources": {"requests": {"storage": "1Mi"}},
}
_ABOUT = {"kind": "Pod", "name": "x", "namespace": "$NAMESPACE"}
_ADDRESS = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
_BACKEND = {"service": {"name": "none", "port": {"number": 80}}}

APIS = [
    Api("flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema", False,
        {"spec": {"matchingPrecedence": 9000, "priorityLevelConfiguration": {"name": "e2e-none"}, "rules": _RULES}},
        {"conditions": [{**CONDITION, "type": "Dangling"}]}),
    Api("flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration", False,
        {"spec": _LEVEL}, _CONDITIONS),
    Api("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False,
        {"spec": _POLICY}, _CONDITIONS),
    Api("admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding",
        False, {"spec": {"policyName": "e2e-none", "validationActions": ["Audit"]}}),
    Api("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False,
        {"webhooks": [_HOOK]}),
    Api("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration",
        False, {"webhooks": [_HOOK]}),
    Api("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False,
        {"spec": _DEFINITION}, {"conditions": [{**CONDITION, "type": "E2E"}]}, ".e2e.example.com"),
    Api("", "v1", "configmaps", "ConfigMap", True, {"data": {"a": "1"}}),
    Api("", "v1", "secrets", "Secret", True, {"data": {"a": "MQ=="}}),
    Api("", "v1", "serviceaccounts", "ServiceAccount", True, {}),
    Api("", "v1", "podtemplates", "PodTemplate", True, {"template": _TEMPLATE}),
    Api("", "v1", "limitranges", "LimitRange", True,
        {"spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1Ti"}}]}}),
    Api("", "v1", "resourcequotas", "ResourceQuota", True, {"spec": {"hard": {"count/example.test": "9"}}}),
    Api("", "v1", "pods", "Pod", True, {"spec": _NOWHERE}, {"conditions": [{**CONDITION, "type": "e2e.io/x"}]}),
    Api("", "v1", "services", "Service", True,
        {"spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": _LABELS}}, _ADDRESS),
    Api("", "v1", "endpoints", "Endpoints", True,
        {"subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]}),
    Api("", "v1", "replicationcontrollers", "ReplicationController", True,
        {"spec": {"replicas": 0, "selector": _LABELS, "template": _TEMPLATE}}, _CONDITIONS),
    Api("", "v1", "persistentvolumes", "PersistentVolume", False, {"spec": _VOLUME},
        {"reason": "E2E", "message": "set by a test"}),
    Api("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, {"spec": _CLAIM}, _CONDITIONS),
    Api("", "v1", "events", "Event", True,
        {"involvedObject": _ABOUT, "reason": "E2E", "type": "Normal", "message": "m"}),
    Api("", "v1", "nodes", "Node", False, {"spec": {"unschedulable": True}}, _CONDITIONS),
    Api("", "v1", "namespaces", "Namespace", False, {}, _CONDITIONS),
    Api("apps", "v1", "controllerrevisions", "ControllerRevision", True, {"data": {"x": 1}, "revision": 1}),
    Api("apps", "v1", "deployments", "Deployment", True,
        {"spec": {"replicas": 0, "selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}}, _CONDITIONS),
    Api("apps", "v1", "replicasets", "ReplicaSet", True,
        {"spec": {"replicas": 0, "selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}}, _CONDITIONS),
    Api("apps", "v1", "statefulsets", "StatefulSet", True,
        {"spec": {"replicas": 0, "serviceName": "s", "selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}},
        _CONDITIONS),
    Api("apps", "v1", "daemonsets", "DaemonSet", True,
        {"spec": {"selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}}, _CONDITIONS),
    Api("batch", "v1", "jobs", "Job", True,
        {"spec": {"suspend": True, "template": {"spec": {**_NOWHERE, "restartPolicy": "Never"}}}}, _CONDITIONS),
    Api("batch", "v1", "cronjobs", "CronJob", True,
        {"spec": {"schedule": "0 0 1 1 *", "suspend": True,
                  "jobTemplate": {"spec": {"template": {"spec": {**_NOWHERE, "restartPolicy": "Never"}}}}}},
        {"lastScheduleTime": "2024-01-01T00:00:00Z"}),
    Api("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True,
        {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"e2e": "none"}}}}, _CONDITIONS),
    Api("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True,
        {"addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}], "ports": [{"name": "p", "port": 80}]}),
    Api("networking.k8s.io", "v1", "ingresses", "Ingress", True, {"spec": {"defaultBackend": _BACKEND}}, _ADDRESS),
    Api("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False, {"spec": {"controller": "example.com/c"}}),
    Api("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, {"spec": {"podSelector": {}}}),
    Api("events.k8s.io", "v1", "events", "Event", True,
        {"eventTime": "2024-01-01T00:00:00.000000Z", "reportingController": "e2e", "reportingInstance": "e2e-1",
         "action": "Do", "reason": "E2E", "type": "Normal", "regarding": _ABOUT, "note": "n"}),
    Api("coordination.k8s.io", "v1", "leases", "Lease", True,
        {"spec": {"holderIdentity": "me", "leaseDurationSeconds": 30, "leaseTransitions": 0,
                  "acquireTime": "2024-01-01T00:00:00.000000Z", "renewTime": "2024-01-01T00:00:05.000000Z"}}),
    Api("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", False, {"handler": "e2e"}),
    Api("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False, {"value": 7}),
    Api("storage.k8s.io", "v1", "storageclasses", "StorageClass", False, {"provisioner": "e2e.example.com"}),
    Api("storage.k8s.io", "v1", "csidrivers", "CSIDriver", False, {"spec": {"attachRequired": False}}),
    Api("storage.k8s.io", "v1", "csinodes", "CSINode", False, {"spec": {"drivers": []}}),
    Api("storage.k8s.io", "v1", "csistoragecapacities", "CSIStorageCapacity", True,
        {"storageClassName": "e2e-none", "capacity": "1Gi"}),
    Api("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", False,
        {"spec": {"attacher": "e2e.example.com", "nodeName": "e2e", "source": {"persistentVolumeName": "pv"}}},
        {"attached": True}),
    Api("storage.k8s.io", "v1", "volumeattributesclasses", "VolumeAttributesClass", False,
        {"driverName": "e2e.example.com", "parameters": {"a": "b"}}),
    Api("rbac.authorization.k8s.io", "v1", "roles", "Role", True, {"rules": []}),
    Api("resource.k8s.io", "v1", "deviceclasses", "DeviceClass", False, {"spec": {}}),
]  # fmt: skip
"""What comes in `conformance.yaml`, and a few kinds beside it."""
