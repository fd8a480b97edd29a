"""Reviews: questions about rights and identities, asked by creating objects that are never stored.

`kubectl auth can-i` and `auth whoami`, and controllers that guard others' doors, ask them. The answer is the object
itself with its status filled in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kubus.model.codec import Raw, pack
from kubus.model.errors import FieldError, bad_request, invalid_object, required
from kubus.model.kinds import Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.reviews import access_errors, local_errors, metadata_errors
from kubus_apiserver.access.authenticator import Authenticator
from kubus_apiserver.access.authorization import Attributes, Authorizer
from kubus_apiserver.access.node_rights import node_of
from kubus_apiserver.access.tokens import TokenInvalid
from kubus_apiserver.calls import Target, User
from kubus_apiserver.reading.entries import Entry


class Judges(NamedTuple):
    """Who knows the answers."""

    authorizer: Authorizer
    authenticator: Authenticator


Review = Callable[[Judges, Object, User, str], Object]
"""From the object, who asks, and the namespace asked in, to the status."""


def _self_access(judges: Judges, obj: Object, user: User, _namespace: str) -> Object:
    _check(obj, [*access_errors(obj, of_others=False), *metadata_errors(obj, namespaced=False)])
    return _access(judges, obj, user)


def _subject_access(judges: Judges, obj: Object, _user: User, _namespace: str) -> Object:
    _check(obj, [*access_errors(obj, of_others=True), *metadata_errors(obj, namespaced=False)])
    return _access(judges, obj, _subject(obj))


def _local_access(judges: Judges, obj: Object, _user: User, namespace: str) -> Object:
    if path_of(obj, "metadata", "namespace", default="") not in ("", namespace):
        raise bad_request(f"spec.resourceAttributes.namespace must match namespace: {namespace}")
    errors = [
        *access_errors(obj, of_others=True),
        *metadata_errors(obj, namespaced=True),
        *local_errors(obj, namespace),
    ]
    _check(obj, errors)
    return _access(judges, obj, _subject(obj))


def _subject(obj: Object) -> User:
    spec = obj.get("spec") or {}
    extra = tuple((key, tuple(values or ())) for key, values in (spec.get("extra") or {}).items())
    return User(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", extra)


def _access(judges: Judges, obj: Object, user: User) -> Object:
    resource, path = obj["spec"].get("resourceAttributes"), obj["spec"].get("nonResourceAttributes") or {}
    if resource is None:
        wanted = Attributes(path.get("verb") or "", path=path.get("path") or "")
    else:
        name, subresource = resource.get("resource") or "", resource.get("subresource")
        wanted = Attributes(
            resource.get("verb") or "",
            resource.get("group") or "",
            f"{name}/{subresource}" if subresource else name or "*",
            resource.get("namespace") or "",
            resource.get("name") or "",
            field_selector=_field_selector(resource.get("fieldSelector") or {}),
        )
    reason = judges.authorizer.decide(user, wanted)
    return {"allowed": False} if reason is None else {"allowed": True, "reason": reason}


def _field_selector(given: Object) -> str:
    if given.get("rawSelector"):
        return str(given["rawSelector"])
    wanted = [each for each in given.get("requirements") or () if each.get("operator") == "In"]
    return ",".join(f"{each['key']}={each['values'][0]}" for each in wanted if len(each.get("values") or ()) == 1)


def _rules(judges: Judges, obj: Object, user: User, _namespace: str) -> Object:
    namespace = path_of(obj, "spec", "namespace", default="")
    if not namespace:
        raise bad_request("no namespace on request")
    rules = judges.authorizer.rules_in(user, namespace)
    resources = [
        _kept(rule, ("verbs", "apiGroups", "resources", "resourceNames")) for rule in rules if "resources" in rule
    ]
    paths = [_kept(rule, ("verbs", "nonResourceURLs")) for rule in rules if "nonResourceURLs" in rule]
    status: Object = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
    if node_of(user):
        status |= {"incomplete": True, "evaluationError": "node authorizer does not support user rule resolution"}
    return status


def _kept(rule: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {field: rule[field] for field in fields if field in rule}


def _who_am_i(_judges: Judges, _obj: Object, user: User, _namespace: str) -> Object:
    return {"userInfo": user.info}


def _token(judges: Judges, obj: Object, _user: User, _namespace: str) -> Object:
    spec = obj.get("spec") or {}
    if not spec.get("token"):
        _check(obj, [required("spec.token")])
    wanted = spec.get("audiences") or ()
    try:
        user, audiences = judges.authenticator.reviewed(spec["token"], wanted)
    except TokenInvalid as error:
        return {"user": {}, "error": str(error)}
    return {"authenticated": True, "user": user.info, "audiences": audiences}


def _check(obj: Object, errors: list[FieldError]) -> None:
    if errors:
        raise invalid_object(obj["kind"], obj["apiVersion"].partition("/")[0], "", errors)


REVIEWS: dict[str, Review] = {
    "selfsubjectaccessreviews.authorization.k8s.io": _self_access,
    "subjectaccessreviews.authorization.k8s.io": _subject_access,
    "localsubjectaccessreviews.authorization.k8s.io": _local_access,
    "selfsubjectrulesreviews.authorization.k8s.io": _rules,
    "selfsubjectreviews.authentication.k8s.io": _who_am_i,
    "tokenreviews.authentication.k8s.io": _token,
}


def is_review(kind: Kind) -> bool:
    """Whether objects of this kind are questions."""
    return kind.collection in REVIEWS


def reviewed(judges: Judges, target: Target, obj: Object, user: User) -> Entry:
    """The answer to a question.

    Raises:
        StatusError: 400, 422: the question makes no sense.
    """
    obj = {**obj, "apiVersion": target.kind.api_version, "kind": target.kind.name}
    obj["status"] = REVIEWS[target.kind.collection](judges, obj, user, target.namespace)
    obj["metadata"] = {"creationTimestamp": None}
    return Entry(target.namespace, "", 0, Raw(pack(obj)), obj)
