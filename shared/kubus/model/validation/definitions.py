"""Custom resource definitions.

Follows staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation. Whether a schema is structural
is looked at where custom resources are served.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, invalid, not_supported, required
from kubus.model.names import dns_1035_label_errors, dns_subdomain_errors
from kubus.model.objects import Object, name_of, path_of
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
    errors += _versions_errors(spec.get("versions") or [])
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
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        errors.append(invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same"))
    return errors


def _versions_errors(versions: list[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, version in enumerate(versions):
        path, name = f"spec.versions[{index}]", version.get("name") or ""
        if name in seen:
            errors.append(duplicate(f"{path}.name", name))
        seen.add(name)
        errors += [invalid(f"{path}.name", name, each) for each in dns_1035_label_errors(name)]
        if path_of(version, "schema", "openAPIV3Schema") is None:
            errors.append(required(f"{path}.schema.openAPIV3Schema", "schemas are required"))
        elif path_of(version, "schema", "openAPIV3Schema", "type") not in (None, "object"):
            kind = path_of(version, "schema", "openAPIV3Schema", "type")
            errors.append(invalid(f"{path}.schema.openAPIV3Schema.type", kind, "must be object at the root"))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        errors.append(invalid("spec.versions", versions, detail))
    return errors


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
