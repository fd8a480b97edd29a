"""PodTemplates."""

from __future__ import annotations

from kubus.model.cells import NAME, joined, labels_text, plain
from kubus.model.defaults.pod_spec import set_template_defaults
from kubus.model.errors import FieldError
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.pod_template import template_errors


def template_object_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """What is wrong with the template."""
    return template_errors(obj.get("template") or {}, "template")


def _each(obj: Object, key: str) -> str:
    return joined(each.get(key, "") for each in path_of(obj, "template", "spec", "containers", default=()))


KIND = Kind(
    group="",
    version="v1",
    name="PodTemplate",
    plural="podtemplates",
    namespaced=True,
    schema="io.k8s.api.core.v1.PodTemplate",
    create_on_update=True,
    generation=True,
    defaults=set_template_defaults,
    rules=(template_object_errors,),
    columns=(
        NAME,
        Column("Containers", plain(lambda obj: _each(obj, "name")), description="Names of its containers."),
        Column("Images", plain(lambda obj: _each(obj, "image")), description="Images of its containers."),
        Column(
            "Pod Labels",
            plain(lambda obj: labels_text(path_of(obj, "template", "metadata", "labels"))),
            description="Labels that its pods get.",
        ),
    ),
)
