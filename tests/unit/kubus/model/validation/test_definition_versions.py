"""Versions of definitions: what is refused beside their schemas."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.validation.definition_versions import conversion_errors, version_errors

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {"a": {"type": "string"}, "l": {"type": "array", "items": {"type": "string"}}},
        }
    },
}
SCALE = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
COLUMN = {"name": "A", "type": "string", "jsonPath": ".spec.a"}
WORDS = "must be a simple json path starting with ."
VERSIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({"subresources": {"status": {}, "scale": {**SCALE, "labelSelectorPath": ".spec.s"}}}, []),
    (
        {"subresources": {"scale": {"specReplicasPath": ".status.n"}}},
        [
            'v.subresources.scale.specReplicasPath: Invalid value: ".status.n": should be a json path under .spec',
            "v.subresources.scale.statusReplicasPath: Required value",
        ],
    ),
    (
        {"subresources": {"scale": {**SCALE, "specReplicasPath": "spec.n", "labelSelectorPath": ".metadata.s"}}},
        [
            f'v.subresources.scale.specReplicasPath: Invalid value: "spec.n": {WORDS}',
            'v.subresources.scale.labelSelectorPath: Invalid value: ".metadata.s": '
            "should be a json path under either .spec or .status",
        ],
    ),
    (
        {"subresources": {"scale": {**SCALE, "specReplicasPath": ".spec..n"}}},
        ['v.subresources.scale.specReplicasPath: Invalid value: ".spec..n": must be a json path in the dot notation'],
    ),
    ({"additionalPrinterColumns": [COLUMN, {**COLUMN, "format": "int32"}]}, []),
    (
        {"additionalPrinterColumns": [{"type": "text", "format": "odd", "jsonPath": "spec"}]},
        [
            "v.additionalPrinterColumns[0].name: Required value",
            'v.additionalPrinterColumns[0].type: Invalid value: "text": '
            "must be one of boolean,date,integer,number,string",
            'v.additionalPrinterColumns[0].format: Invalid value: "odd": '
            "must be one of byte,date,date-time,double,float,int32,int64,password",
            f'v.additionalPrinterColumns[0].jsonPath: Invalid value: "spec": {WORDS}',
        ],
    ),
    ({"selectableFields": [{"jsonPath": ".spec.a"}]}, []),
    (
        {"selectableFields": [{"jsonPath": ".spec.a"}, {"jsonPath": ".spec['a']"}, {"jsonPath": ".spec.l"}]},
        [
            "v.selectableFields[1].jsonPath: Duplicate value: \".spec['a']\"",
            'v.selectableFields[2].jsonPath: Invalid value: ".spec.l": must point to a field of type '
            "string, boolean or integer. Enum string fields and strings with allowed formats are allowed.",
        ],
    ),
    (
        {"selectableFields": [{"jsonPath": ".spec.x"}, {"jsonPath": "spec.a"}, {"jsonPath": ".metadata.name"}, {}]},
        [
            'v.selectableFields[0].jsonPath: Invalid value: ".spec.x": '
            "is an invalid path: does not refer to a valid field",
            'v.selectableFields[1].jsonPath: Invalid value: "spec.a": '
            "is an invalid path: expected [ or . but got: spec.a",
            'v.selectableFields[2].jsonPath: Invalid value: ".metadata.name": must not point to fields in metadata',
            "v.selectableFields[3].jsonPath: Required value",
        ],
    ),
    ({"selectableFields": [{}] * 9}, ["v.selectableFields: Too many: 9: must have at most 8 items"]),
]


@pytest.mark.parametrize(("version", "said"), VERSIONS)
def test_each_mistake_of_a_version_is_named(version: dict[str, Any], said: list[str]) -> None:
    errors = [str(each) for each in version_errors({"schema": {"openAPIV3Schema": SCHEMA}, **version}, "v")]
    assert errors[: len(said)] == said
    assert said or not errors


REVIEWED = {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://a/b"}}
CONVERSIONS: list[tuple[dict[str, Any], str]] = [
    ({"strategy": "None"}, ""),
    ({"strategy": "Webhook", "webhook": REVIEWED}, ""),
    ({}, "spec.conversion.strategy: Required value"),
    (
        {"strategy": "Magic"},
        'spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"',
    ),
    ({"strategy": "None", "webhook": REVIEWED}, "spec.conversion.webhookClientConfig: Forbidden: should not be set"),
    ({"strategy": "Webhook"}, "spec.conversion.webhookClientConfig: Required value: required when strategy is set to"),
    (
        {"strategy": "Webhook", "webhook": {**REVIEWED, "clientConfig": {}}},
        "spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required",
    ),
    (
        {"strategy": "Webhook", "webhook": {**REVIEWED, "clientConfig": {"url": "http://a"}}},
        "spec.conversion.webhookClientConfig.url: Invalid value: \"http://a\": 'https' is the only allowed URL scheme",
    ),
    (
        {"strategy": "Webhook", "webhook": {**REVIEWED, "clientConfig": {"service": {"name": "s"}}}},
        "spec.conversion.webhookClientConfig.service.namespace: Required value",
    ),
    (
        {"strategy": "Webhook", "webhook": {**REVIEWED, "conversionReviewVersions": []}},
        "spec.conversion.conversionReviewVersions: Required value",
    ),
    (
        {"strategy": "Webhook", "webhook": {**REVIEWED, "conversionReviewVersions": ["v2"]}},
        'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ),
    (
        {"strategy": "Webhook", "webhook": {**REVIEWED, "conversionReviewVersions": ["v1", "v1"]}},
        'spec.conversion.conversionReviewVersions[1]: Invalid value: "v1": duplicate version',
    ),
]


@pytest.mark.parametrize(("conversion", "said"), CONVERSIONS)
def test_each_mistake_of_a_conversion_is_named(conversion: dict[str, Any], said: str) -> None:
    errors = [str(each) for each in conversion_errors(conversion)]
    assert errors[0].startswith(said) if said else not errors
