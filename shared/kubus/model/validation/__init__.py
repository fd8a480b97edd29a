"""Is an object valid? The one entry, and rule pieces that several kinds share.

`object_errors` is called for every write: metadata first, then the rules of the kind. A rule is a function of the
new object and the old one (None on create), and says what is wrong in Kubernetes' words, field by field. Rules may
meet any JSON that has passed the schema's check of types, so they take nothing for given but types.
"""

from __future__ import annotations

from kubus.model.errors import FieldError
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.validation.metadata import metadata_errors


def object_errors(kind: Kind, obj: Object, old: Object | None) -> list[FieldError]:
    """Everything wrong with an object, metadata first. `old` is None on create."""
    errors = metadata_errors(kind, obj, old)
    for rule in (*kind.rules, *kind.status_rules):
        errors += rule(obj, old)
    return errors


def status_errors(kind: Kind, obj: Object, old: Object) -> list[FieldError]:
    """Everything wrong with a write of the status: metadata first, then what the kind asks of a status."""
    errors = metadata_errors(kind, obj, old)
    for rule in kind.status_rules:
        errors += rule(obj, old)
    return errors
