"""Patches and replacements as changes: functions from the stored object to the wanted one.

A change may run several times, each time on the object that won a race, so it keeps nothing between runs but the
warnings of the last. A patch that names a resourceVersion holds only for that one.

https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
"""

from __future__ import annotations

from typing import Any

from kubus.model.codec import pack, to_json, unpack
from kubus.model.errors import StatusError, bad_request, conflict, invalid, invalid_object, unsupported_media_type
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.patches import json_patch, merge_patch
from kubus.model.schema import Schemas
from kubus.model.strategic import strategic_merge
from kubus_apiserver.writing.bodies import fitted

_SHOWN_PATCH = 1024


class Replacement:
    """A PUT: the object as the client sent it."""

    def __init__(self, obj: Object) -> None:
        self._packed = pack(obj)

    def __call__(self, _old: Object) -> Object:
        """A copy of what was sent: each run may change its own."""
        copy: Object = unpack(self._packed)
        return copy


class Patch:
    """A PATCH of one of three types; an apply is another matter."""

    def __init__(
        self,
        kind: Kind,
        patch_type: str,
        patch: Any,
        schemas: Schemas,
        field_validation: str = "Warn",
        *,
        told: tuple[str, ...] = (),
    ) -> None:
        if patch_type not in ("json", "merge", "strategic"):
            raise bad_request(f"unknown patch type {patch_type!r}")
        if patch_type == "strategic" and kind.custom is not None:
            raise unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
            )
        self._kind = kind
        self._type = patch_type
        self._patch = patch
        self._schemas = schemas
        self._validation = field_validation
        self._told = told
        """What a strict decoder says of the patch's own text."""
        self.warnings: tuple[str, ...] = ()

    def __call__(self, old: Object) -> Object:
        """The stored object, patched and checked.

        Raises:
            StatusError: 400, 409, 422: it does not apply, or not to this.
        """
        version = old["metadata"].get("resourceVersion")
        obj = self.merged(old)
        metadata = obj.get("metadata")
        if not isinstance(metadata, dict):
            raise bad_request("the patch leaves no metadata")
        if metadata.get("resourceVersion") != version and metadata.get("resourceVersion"):
            raise conflict(self._kind.plural, self._kind.group, old["metadata"]["name"])
        lenient = self._validation == "Ignore"
        fitting, unknown = fitted(self._kind, obj, self._schemas, "Ignore" if lenient else "Warn")
        self.warnings = () if lenient else (*self._told, *unknown)
        if self.warnings and self._validation == "Strict":
            raise self._refused()
        return unpack(pack(fitting)) if self._type == "merge" else fitting

    def merged(self, old: Object) -> Object:
        """The patch applied, not yet checked.

        Raises:
            StatusError: it does not apply.
        """
        if self._type == "json":
            return json_patch(old, self._patch)
        if self._type == "merge":
            return merge_patch(old, self._patch)
        return strategic_merge(old, self._patch, self._schemas, self._kind.schema)

    def _refused(self) -> StatusError:
        shown = to_json(self._patch)[:_SHOWN_PATCH].decode(errors="replace")
        words = f"strict decoding error: {', '.join(self.warnings)}"
        return invalid_object("", "", "", [invalid("patch", shown, words)])
