"""The schema as data: that it is the one the script makes, and what it says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from kubus.model.schema import load_schemas

ROOT = Path(__file__).parents[4]
SCHEMAS = load_schemas()
POD_SPEC = "io.k8s.api.core.v1.PodSpec"


def test_the_committed_schema_is_what_the_script_makes():
    pytest.importorskip("kubernetes_validate")
    spec = importlib.util.spec_from_file_location("make_schema", ROOT / "scripts" / "make_schema.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.TARGET.read_text() == script.text()


def test_a_list_of_structs_knows_its_items_and_merge_keys():
    containers = SCHEMAS.field(POD_SPEC, "containers")
    assert containers is not None
    assert containers.type == "array"
    assert containers.items_ref == "io.k8s.api.core.v1.Container"
    assert containers.list_type == "map"
    assert containers.list_map_keys == ("name",)
    assert containers.patch_strategy == "merge"
    assert containers.patch_merge_key == "name"
    assert containers.required


@pytest.mark.parametrize(
    ("definition", "field", "kind", "form"),
    [
        ("io.k8s.api.apps.v1.DeploymentSpec", "replicas", "integer", "int32"),
        ("io.k8s.api.core.v1.Secret", "data", "map", ""),
        ("io.k8s.api.core.v1.ConfigMap", "immutable", "boolean", ""),
        ("io.k8s.api.core.v1.PodSpec", "terminationGracePeriodSeconds", "integer", "int64"),
    ],
)
def test_scalars_have_type_and_format(definition, field, kind, form):
    found = SCHEMAS.field(definition, field)
    assert found is not None
    assert (found.type, found.format) == (kind, form)


def test_special_scalars_are_definitions_of_their_own():
    types = {name.rpartition(".")[2]: SCHEMAS.definition(name).type for name in SCHEMAS.names()}
    assert types["Quantity"] == "quantity"
    assert types["IntOrString"] == "int-or-string"
    assert types["Time"] == "date-time"
    assert types["MicroTime"] == "micro-time"


def test_kinds_are_found_by_group_version_and_kind():
    assert SCHEMAS.kinds()["apps", "v1", "Deployment"] == "io.k8s.api.apps.v1.Deployment"


def test_unknown_names_and_fields():
    assert "io.k8s.Nothing" not in SCHEMAS
    assert SCHEMAS.field(POD_SPEC, "nothing") is None
    with pytest.raises(KeyError):
        SCHEMAS.definition("io.k8s.Nothing")


def test_every_definition_can_be_built():
    for name in SCHEMAS.names():
        for field in SCHEMAS.fields(name).values():
            assert field.type != "ref" or field.ref in SCHEMAS
            assert not field.items_ref or field.items_ref in SCHEMAS
