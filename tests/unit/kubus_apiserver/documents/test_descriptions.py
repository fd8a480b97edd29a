"""Descriptions of the API, from docstrings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kubus.model.schema import load_schemas
from kubus_apiserver.documents.descriptions import descriptions, python_name


def test_kinds_and_fields_are_described() -> None:
    found = descriptions("io.k8s.api.apps.v1")["DeploymentStrategy"]
    assert found.text == "DeploymentStrategy describes how to replace existing pods with new ones."
    assert found.fields["type"].startswith('Type of deployment. Can be "Recreate" or "RollingUpdate".')
    assert "\n" not in found.fields["rollingUpdate"]


def test_fields_with_names_that_python_cannot_have_are_found() -> None:
    props = descriptions("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1")["JSONSchemaProps"]
    assert props.fields[python_name("x-kubernetes-list-type")].startswith("x-kubernetes-list-type annotates")
    assert python_name("$ref") in props.fields
    block = descriptions("io.k8s.api.networking.v1")["IPBlock"]
    assert block.fields[python_name("except")]


@pytest.mark.parametrize("package", ["", "com.example.v1", "io.k8s.api.nothing.v1", "io.k8s.apimachinery.pkg.runtime"])
def test_what_nobody_described_has_no_descriptions(package: str) -> None:
    assert descriptions(package) == {}


def test_the_package_is_read_and_not_imported() -> None:
    """In a process of its own: other tests may have imported the package."""
    program = (
        "import sys; from kubus_apiserver.documents.descriptions import descriptions; "
        "assert descriptions('io.k8s.api.core.v1'); sys.exit('lightkube.models.core_v1' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_most_fields_of_the_schema_are_described() -> None:
    schemas = load_schemas()
    prose = descriptions("io.k8s.api.core.v1")
    fields = [
        (name, python_name(field))
        for name in schemas.names()
        if name.startswith("io.k8s.api.core.v1.")
        for field in schemas.fields(name)
    ]
    silent = [(name, field) for name, field in fields if not prose[name.rpartition(".")[2]].fields.get(field)]
    assert len(silent) < len(fields) / 50, silent
