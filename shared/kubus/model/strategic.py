"""Strategic merge patch: Kubernetes' own merge, which knows that lists have keys.

A merge patch can only replace a list. This one merges lists whose schema names a merge key (containers by `name`), or
whose items are scalars (finalizers), and takes directives in the patch:

    $patch: replace | delete                 this object, or in a list: the whole list, this item
    $retainKeys: [a, b]                      drop the object's other keys
    $setElementOrder/<list>: [...]           the order that the list shall have
    $deleteFromPrimitiveList/<list>: [...]   scalars to take out of the list

The order of a merged list follows apimachinery's pkg/util/strategicpatch: what the patch names stands in the patch's
order, what only the server has keeps its place as well as it can. Neither object nor patch is edited; the result shares
with both. Depth is the caller's to limit. Lists are indexed by merge key, so a large patch stays linear.

What the patch says wrongly is refused with Kubernetes' words, as 400 or 422 (Kubernetes answers 500 to some of it).
"""

from __future__ import annotations

from typing import Any, Protocol

from kubus.model import element_order
from kubus.model.element_order import go_text, identity
from kubus.model.errors import StatusError, bad_request
from kubus.model.objects import Object

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
SET_ELEMENT_ORDER = "$setElementOrder"
DELETE_FROM_LIST = "$deleteFromPrimitiveList"


class ListedField(Protocol):
    """What a merge asks of a field's schema."""

    @property
    def ref(self) -> str:
        """The definition of its value, or ""."""

    @property
    def items_ref(self) -> str:
        """The definition of the items of its list or map, or ""."""

    @property
    def patch_strategy(self) -> str:
        """merge, replace, retainKeys, a comma-separated pair, or ""."""

    @property
    def patch_merge_key(self) -> str:
        """The key by which the items of its list are told apart, or ""."""


class FieldSource(Protocol):
    """What a merge asks of the schemas."""

    def field(self, name: str, key: str, /) -> ListedField | None:
        """One field of a definition; None if it has no such field."""


def strategic_merge(obj: Object, patch: Any, schemas: FieldSource, definition: str) -> Object:
    """The object with a strategic merge patch applied.

    Args:
        obj: an object of the definition; may be shared.
        patch: the decoded patch.
        schemas: where merge keys come from.
        definition: the schema's name, `io.k8s.api.apps.v1.Deployment`.

    Raises:
        StatusError: 400 or 422, the patch is no such patch or does not apply.
    """
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: a strategic merge patch must be an object")
    return _Merge(schemas).objects(obj, patch, definition)


def _refused(message: str) -> StatusError:
    return StatusError(422, "Invalid", message)


def _no_merge_key(item: Any, merge_key: str) -> StatusError:
    return _refused(f"map: {go_text(item)} does not contain declared merge key: {merge_key}")


class _Merge:
    """One merge; holds nothing but the schemas. A definition of "" is an object of unknown fields."""

    def __init__(self, schemas: FieldSource) -> None:
        self._schemas = schemas

    def objects(self, original: Object, patch: Object, definition: str) -> Object:
        if PATCH in patch:
            return _directed(patch)
        rest = dict(patch)
        result = _retained(original, rest)
        for key in [each for each in rest if each.startswith(f"{SET_ELEMENT_ORDER}/")]:
            self._ordered_list(result, rest, key, definition)
        for key, value in rest.items():
            self._field(result, key, value, definition)
        return result

    def _field(self, result: Object, key: str, value: Any, definition: str) -> None:
        if key.startswith(DELETE_FROM_LIST):
            self._delete_from_list(result, key, value)
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            field = self._lookup(definition, key)
            if field is not None and "replace" in field.patch_strategy.split(","):
                result[key] = value
            else:
                result[key] = self.objects(result[key], value, (field.ref or "") if field else "")
        elif isinstance(value, list) and isinstance(result.get(key), list):
            result[key] = self._lists(result[key], value, self._lookup(definition, key))
        else:
            result[key] = _without_directives(value)

    def _lookup(self, definition: str, key: str) -> ListedField | None:
        return self._schemas.field(definition, key) if definition else None

    def _delete_from_list(self, result: Object, key: str, value: Any) -> None:
        name = key.removeprefix(f"{DELETE_FROM_LIST}/")
        if name == key or not isinstance(value, list):
            raise bad_request("invalid patch format of primitive list")
        found = result.get(name)
        if isinstance(found, list):
            gone = {identity(each) for each in value}
            result[name] = [each for each in found if identity(each) not in gone]

    def _lists(self, original: list[Any], patch: list[Any], field: ListedField | None) -> list[Any]:
        if field is None or "merge" not in field.patch_strategy.split(","):
            return patch
        kinds = {type(each) for each in (*original, *patch)}
        if list in kinds:
            raise _refused("lists of lists are not supported")
        if dict not in kinds:
            merged = element_order.unique([*original, *patch])
            return element_order.arranged(merged, patch, original, "")
        if kinds != {dict}:
            raise _refused("list element types are not identical")
        return self._keyed_lists(original, patch, field)

    def _keyed_lists(self, original: list[Any], patch: list[Any], field: ListedField) -> list[Any]:
        merge_key = field.patch_merge_key
        if not merge_key:
            raise _refused("cannot merge lists without merge key")
        plain = [each for each in patch if PATCH not in each]
        special = [each for each in patch if PATCH in each]
        kept = _kept(original, special, merge_key)
        if kept is None:
            return [_without_directives(each) for each in plain]
        merged, places = list(kept), element_order.places(kept, merge_key)
        for item in plain:
            if merge_key not in item:
                raise _no_merge_key(item, merge_key)
            place = places.setdefault(identity(item[merge_key]), len(merged))
            if place == len(merged):
                merged.append(_without_directives(item))
            else:
                merged[place] = self.objects(merged[place], item, field.items_ref)
        return self._arranged(merged, plain, kept, merge_key)

    def _arranged(self, merged: list[Any], wanted: list[Any], served: list[Any], merge_key: str) -> list[Any]:
        for item in merged if merge_key else ():
            if not isinstance(item, dict) or merge_key not in item:
                raise _no_merge_key(item, merge_key)
        return element_order.arranged(merged, wanted, served, merge_key)

    def _ordered_list(self, result: Object, rest: Object, directive: str, definition: str) -> None:
        """Merge the list that an order is given for; takes both out of what is left to do."""
        order, name = rest.pop(directive), directive.removeprefix(f"{SET_ELEMENT_ORDER}/")
        if not isinstance(order, list) or not name:
            raise bad_request("invalid patch format of setElementOrder list")
        original, patch = result.get(name), rest.get(name)
        if name in rest and not isinstance(patch, list):
            return  # the list is removed or becomes something else: there is nothing to order
        if not isinstance(original, list):
            original = None
        field = self._lookup(definition, name)
        merge_key = field.patch_merge_key if field else ""
        if isinstance(patch, list):
            _check_order(patch, order, merge_key)
            merged = _without_directives(patch) if original is None else self._lists(original, patch, field)
        elif original is None:
            return
        else:
            merged = original
        rest.pop(name, None)
        _check_order_items(order, merge_key)
        result[name] = self._arranged(merged, order, original or [], merge_key)


def _directed(patch: Object) -> Object:
    directive = patch[PATCH]
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != PATCH}
    if directive == "delete":
        return {}
    raise _refused(f"unknown patch type: {go_text(directive)} in map: {go_text(patch)}")


def _retained(original: Object, rest: Object) -> Object:
    """A copy of the original, with only what `$retainKeys` names if it is there; takes it out of the patch."""
    if RETAIN_KEYS not in rest:
        return dict(original)
    keys = rest.pop(RETAIN_KEYS)
    if not isinstance(keys, list) or not all(isinstance(each, str) for each in keys):
        raise bad_request("invalid patch format of retainKeys")
    for key, value in rest.items():
        if value is not None and key not in keys and not key.startswith((DELETE_FROM_LIST, SET_ELEMENT_ORDER)):
            raise bad_request("invalid patch format of retainKeys")
    return {key: value for key, value in original.items() if key in set(keys)}


def _kept(original: list[Any], special: list[Any], merge_key: str) -> list[Any] | None:
    """What directives in a list leave of the original; None if the patch replaces the list."""
    gone, replaced = set(), False
    for item in special:
        directive = item[PATCH]
        if directive == "delete":
            if merge_key not in item:
                raise _no_merge_key(item, merge_key)
            gone.add(identity(item[merge_key]))
        elif directive == "replace":
            replaced = True
        elif directive == "merge":
            raise _refused("merging lists cannot yet be specified in the patch")
        else:
            raise _refused(f"unknown patch type: {go_text(directive)} in map: {go_text(item)}")
    if replaced:
        return None
    return [each for each in original if identity(each.get(merge_key)) not in gone] if gone else original


def _check_order(patch: list[Any], order: list[Any], merge_key: str) -> None:
    """Refuse a patch whose list names something that its `$setElementOrder` does not, or in another order."""
    position, ordered = 0, [_key_of(each, merge_key) for each in order]
    for item in patch:
        if isinstance(item, dict) and PATCH in item:
            continue
        key = _key_of(item, merge_key)
        while position < len(ordered) and ordered[position] != key:
            position += 1
        if position == len(ordered):
            ordered_text = f"doesn't match {SET_ELEMENT_ORDER} list:\n{go_text(order)}"
            raise bad_request(f"The order in patch list:\n{go_text(patch)}\n {ordered_text}\n")
        position += 1


def _check_order_items(order: list[Any], merge_key: str) -> None:
    for item in order:
        _key_of(item, merge_key)


def _key_of(item: Any, merge_key: str) -> object:
    if not merge_key:
        return identity(item)
    if not isinstance(item, dict) or merge_key not in item:
        raise _no_merge_key(item, merge_key)
    return identity(item[merge_key])


def _without_directives(value: Any) -> Any:
    """A patch's value as it stands where there was nothing to merge it into: no directives, no nulls in objects."""
    if isinstance(value, dict):
        return {
            key: _without_directives(each)
            for key, each in value.items()
            if each is not None and not _is_directive(key) and not _is_deletion(each)
        }
    if isinstance(value, list):
        return [_without_directives(each) for each in value if not _is_list_directive(each)]
    return value


def _is_directive(key: str) -> bool:
    return key in (PATCH, RETAIN_KEYS) or key.startswith((f"{SET_ELEMENT_ORDER}/", f"{DELETE_FROM_LIST}/"))


def _is_deletion(value: Any) -> bool:
    return isinstance(value, dict) and value.get(PATCH) == "delete"


def _is_list_directive(value: Any) -> bool:
    return _is_deletion(value) or (isinstance(value, dict) and value.keys() == {PATCH})
