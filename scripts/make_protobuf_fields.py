"""Make shared/kubus/model/data/protobuf.json: the wire facts of the API's protobuf messages, compact.

    python scripts/make_protobuf_fields.py SOURCE

SOURCE is a JSON file `{message: {field: [number, type, label]}}` of the upstream .proto files. What is written holds
only messages that a served kind reaches, and each field as `name type`:

    s i l b d y      string, int32, int64, bool, double, bytes
    7.PodSpec        a message of package 7;  @time and the like: one with a JSON form of its own
    []x  {}x  <x     a list, a map from strings, a message whose fields belong to the one around it
    x?               the zero value means that the field is not set

Protobuf knows neither JSON names nor which messages are inlined; both follow from the JSON schema. Nor does it know
which fields are pointers in Go: a client writes the others always, so that their zero says nothing, while the zero of a
pointer (`replicas: 0`) is meant. That knowledge is in `NOT_POINTERS`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from kubus.model.schema import load_schemas

TARGET = Path(__file__).parent.parent / "shared/kubus/model/data/protobuf.json"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
PREFIXES = {
    "k8s.io.api.": "io.k8s.api.",
    "k8s.io.apimachinery.": "io.k8s.apimachinery.",
    "k8s.io.apiextensions_apiserver.": "io.k8s.apiextensions-apiserver.",
    "k8s.io.kube_aggregator.": "io.k8s.kube-aggregator.",
}
SCALARS = {"string": "s", "int32": "i", "int64": "l", "bool": "b", "double": "d", "bytes": "y"}
SPECIAL = {
    f"{META}.Time": "@time",
    f"{META}.MicroTime": "@microtime",
    f"{META}.FieldsV1": "@json",
    f"{META}.Verbs": "@items",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "@quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "@intstr",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "@json",
}
SPECIAL_NAMES = {
    "ExtraValue": "@items",
    "AttestationValue": "@items",
    "JSON": "@json",
    "JSONSchemaPropsOrBool": "@orbool",
    "JSONSchemaPropsOrArray": "@orarray",
    "JSONSchemaPropsOrStringArray": "@orstrings",
}
OPTIONS = ("CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions")
EMPTY_IS_MEANT = frozenset(("storageClassName",))
"""Strings that are pointers in Go and whose empty value differs from none."""
NOT_POINTERS = frozenset(
    """
    allowWatchBookmarks authenticated chapAuthDiscovery chapAuthSession clusterScope denied deprecated exclusiveMaximum
    exclusiveMinimum follow globalDefault hostIPC hostNetwork hostPID insecureSkipTLSVerify insecureSkipTLSVerifyBackend
    nullable paused preserveUnknownFields previous publishNotReadyAddresses readOnly sslEnabled stderr stdin stdinOnce
    stdout timestamps tty uniqueItems unschedulable watch x-kubernetes-embedded-resource x-kubernetes-int-or-string
    active availableReplicas code count currentHealthy currentReplicas deprecatedCount desiredHealthy disruptionsAllowed
    expectedPods failed failureThreshold fullyLabeledReplicas handSize healthCheckNodePort hostPort initialDelaySeconds
    matchingPrecedence minReadySeconds nodePort number numberAvailable numberUnavailable periodSeconds queueLengthLimit
    queues readyReplicas retryAfterSeconds signal succeeded successThreshold timeoutSeconds unavailableReplicas
    updatedNumberScheduled updatedReplicas generation limit observedGeneration sizeBytes
    """.split()  # noqa: SIM905  a list of quoted names would be three times as long
)


def definition_name(message: str) -> str:
    """The schema's name of a protobuf message, "" for one of no interest."""
    for prefix, replacement in PREFIXES.items():
        if message.startswith(prefix):
            return replacement + message[len(prefix) :]
    return ""


class Maker:
    """Collects the messages that are reached."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.schemas = load_schemas()
        self.source = {definition_name(name): fields for name, fields in source.items()}
        self.packages: list[str] = []
        self.messages: dict[str, dict[str, str]] = {}

    def package(self, name: str) -> int:
        """The number of a package."""
        if name not in self.packages:
            self.packages.append(name)
        return self.packages.index(name)

    def reference(self, name: str) -> str:
        """The type text of a message; collects it and what it reaches."""
        package, _, short = name.rpartition(".")
        if special := SPECIAL.get(name) or SPECIAL_NAMES.get(short):
            if special.startswith("@or"):
                self.reference(f"{package}.JSONSchemaProps")
            return special
        text = f"{self.package(package)}.{short}"
        if text not in self.messages:
            self.messages[text] = {}
            self.messages[text] = self.fields(name)
        return text

    def fields(self, name: str) -> dict[str, str]:
        """Field number → `name type` of a message."""
        schema = self.schemas.fields(name) if name in self.schemas else {}
        loose = {key.replace("-", "").replace("$", "").lower(): key for key in schema}
        found: dict[str, str] = {}
        for key, (number, type_, label) in self.source[name].items():
            json_name = key if key in schema else loose.get(key.lower(), key)
            inlined = bool(schema) and json_name not in schema
            if inlined and type_ in SCALARS:
                raise SystemExit(f"{name}.{key}: no such JSON field")
            required = json_name in schema and schema[json_name].required
            found[str(number)] = f"{json_name} {'<' * inlined}{self.type_text(json_name, type_, label, required)}"
        return found

    def type_text(self, json_name: str, type_: str, label: str, required: bool) -> str:
        """The type of a field in the compact notation."""
        if label == "map":
            value = type_.removeprefix("map<string,").removesuffix(">").removeprefix(".")
            return "{}" + (SCALARS.get(value) or self.reference(definition_name(value)))
        text = SCALARS.get(type_) or self.reference(definition_name(type_))
        if label == "repeated":
            return f"[]{text}"
        unset = json_name in NOT_POINTERS or (text in "sy" and json_name not in EMPTY_IS_MEANT)
        return f"{text}?" if text in SCALARS.values() and unset and not required else text


def main() -> None:
    """Write the file."""
    maker = Maker(json.loads(Path(sys.argv[1]).read_text()))
    versions: dict[str, int] = {}
    for (group, version, kind), name in sorted(maker.schemas.kinds().items()):
        package = name.rpartition(".")[0]
        if name in maker.source and package != META:
            maker.reference(name)
            versions[f"{group}/{version}" if group else version] = maker.package(package)
        elif name not in maker.source:
            print(f"not in the source: {group}/{version} {kind}")
    for name in (*(f"{META}.{option}" for option in OPTIONS), f"{META}.Status", "io.k8s.api.core.v1.List"):
        maker.reference(name)
    content = {"packages": maker.packages, "versions": versions, "messages": maker.messages}
    TARGET.write_text(json.dumps(content, separators=(",", ":")) + "\n")
    print(f"{len(maker.messages)} messages, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
