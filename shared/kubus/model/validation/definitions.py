"""Custom resource definitions.

Follows staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation. Whether a schema is structural
is looked at where custom resources are served.
"""

from __future__ import annotations

from kubus.model.custom.acceptance import APPROVED, approval_of
from kubus.model.custom.structural import schema_errors
from kubus.model.errors import FieldError, duplicate, invalid, not_supported, required
from kubus.model.names import dns_1035_label_errors, dns_subdomain_errors
from kubus.model.objects import Object, annotations_of, name_of, path_of
from kubus.model.validation.definition_versions import conversion_errors, version_errors
from kubus.model.validation.values import immutable


def definition_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a definition of a custom resource."""
    spec = obj.get("spec") or {}
    names, group = spec.get("names") or {}, spec.get("group") or ""
    errors: list[FieldError] = []
    wanted = f"{names.get('plural') or ''}.{group}"
    if name_of(obj) != wanted:
        errors.append(invalid("metadata.name", name_of(obj), 'must be spec.names.plural+"."+spec.group'))
    if not group:
        errors.append(required("spec.group"))
    elif found := dns_subdomain_errors(group):
        errors += [invalid("spec.group", group, each) for each in found]
    elif "." not in group:
        errors.append(invalid("spec.group", group, "should be a domain with at least one dot"))
    scope = spec.get("scope") or ""
    if scope not in ("Cluster", "Namespaced"):
        errors.append(
            not_supported("spec.scope", scope, ("Cluster", "Namespaced")) if scope else required("spec.scope")
        )
    errors += _names_errors(names)
    if spec.get("preserveUnknownFields"):
        errors.append(invalid("spec.preserveUnknownFields", True, "must be false"))
    if spec.get("conversion") is not None:
        errors += conversion_errors(spec["conversion"])
    before = {each.get("name"): each.get("schema") for each in path_of(old or {}, "spec", "versions", default=())}
    errors += _versions_errors(spec.get("versions") or [], before)
    if old is None:
        errors += _approval_errors(group, obj)
    if old is not None:
        for path in (("group",), ("scope",), ("names", "kind"), ("names", "plural")):
            errors += immutable(path_of(spec, *path), path_of(old, "spec", *path), ".".join(("spec", *path)))
        errors += _stored_errors(spec, old)
    return errors


def _names_errors(names: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in ("plural", "kind"):
        if not names.get(key):
            errors.append(required(f"spec.names.{key}"))
    for key in ("plural", "singular", "kind", "listKind"):
        if value := names.get(key):
            found = dns_1035_label_errors(value.lower())
            errors += [invalid(f"spec.names.{key}", value, each) for each in found]
    for key in ("shortNames", "categories"):
        for index, value in enumerate(names.get(key) or ()):
            errors += [invalid(f"spec.names.{key}[{index}]", value, each) for each in dns_1035_label_errors(value)]
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        errors.append(invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same"))
    return errors


def _versions_errors(versions: list[Object], before: dict[str, Object]) -> list[FieldError]:
    """`before` are the schemas that were there already: they are not looked at again.

    A schema that all versions have is named as Kubernetes does it, as if it stood above them.
    """
    errors: list[FieldError] = []
    seen: set[str] = set()
    schemas = [version.get("schema") for version in versions]
    in_common = bool(schemas) and all(each == schemas[0] for each in schemas)
    for index, version in enumerate(versions):
        path, name = f"spec.versions[{index}]", version.get("name") or ""
        if name in seen:
            errors.append(duplicate(f"{path}.name", name))
        seen.add(name)
        errors += [invalid(f"{path}.name", name, each) for each in dns_1035_label_errors(name)]
        if path_of(version, "schema", "openAPIV3Schema") is None:
            errors.append(required(f"{path}.schema.openAPIV3Schema", "schemas are required"))
        elif version["schema"] != before.get(name) and not (in_common and index):
            where = "spec.validation" if in_common else f"{path}.schema"
            errors += schema_errors(version["schema"]["openAPIV3Schema"], f"{where}.openAPIV3Schema")
        errors += version_errors(version, path)
    if sum(bool(version.get("storage")) for version in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        errors.append(invalid("spec.versions", versions, detail))
    return errors


def _approval_errors(group: str, obj: Object) -> list[FieldError]:
    """Groups of the Kubernetes community are for what has been looked at there."""
    found = approval_of(obj) if group else None
    if found is None or found["reason"] in ("ApprovedAnnotation", "UnapprovedAnnotation"):
        return []
    path = f"metadata.annotations[{APPROVED}]"
    if found["reason"] == "MissingAnnotation":
        return [required(path, found["message"])]
    return [invalid(path, annotations_of(obj)[APPROVED], found["message"])]


def _stored_errors(spec: Object, old: Object) -> list[FieldError]:
    """A version of which objects may be stored cannot go."""
    present = {version.get("name") for version in spec.get("versions") or ()}
    errors: list[FieldError] = []
    for index, name in enumerate(path_of(old, "status", "storedVersions", default=())):
        if name not in present:
            errors.append(
                invalid(
                    f"status.storedVersions[{index}]",
                    name,
                    "missing from spec.versions; "
                    f"{name} was previously a storage version, and must remain in spec.versions until a "
                    "storage migration ensures no data remains persisted in "
                    f"{name} and removes {name} from status.storedVersions",
                )
            )
    return errors
