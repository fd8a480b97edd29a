"""Reviews: questions about rights and identities, asked by creating objects that are never stored.

`kubectl auth can-i` and `auth whoami`, and controllers that guard others' doors, ask them. The answer is the object
itself with its status filled in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubus.model.codec import Raw, pack
from kubus.model.errors import FieldError, bad_request, invalid, invalid_object, required
from kubus.model.kinds import Kind
from kubus.model.objects import Object, path_of
from kubus_apiserver.authorization import Attributes, Authorizer
from kubus_apiserver.calls import Target, User
from kubus_apiserver.entries import Entry

Review = Callable[[Authorizer, Object, User, str], Object]
"""From the object, who asks, and the namespace asked in, to the status."""


def _self_access(authorizer: Authorizer, obj: Object, user: User, _namespace: str) -> Object:
    return _access(authorizer, obj, user)


def _subject_access(authorizer: Authorizer, obj: Object, _user: User, _namespace: str) -> Object:
    spec = obj.get("spec") or {}
    if not spec.get("user") and not spec.get("groups"):
        raise _refused(obj, [invalid("spec.user", "", "at least one of user or group must be specified")])
    return _access(authorizer, obj, User(spec.get("user") or "", tuple(spec.get("groups") or ())))


def _local_access(authorizer: Authorizer, obj: Object, user: User, namespace: str) -> Object:
    if path_of(obj, "spec", "resourceAttributes", "namespace", default="") != namespace:
        detail = "must match metadata.namespace"
        wanted = path_of(obj, "spec", "resourceAttributes", "namespace", default="")
        raise _refused(obj, [invalid("spec.resourceAttributes.namespace", wanted, detail)])
    return _subject_access(authorizer, obj, user, namespace)


def _access(authorizer: Authorizer, obj: Object, user: User) -> Object:
    spec = obj.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if bool(resource) == bool(path):
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise _refused(obj, [invalid("spec.resourceAttributes", resource, detail)])
    if resource is not None and resource:
        name, subresource = resource.get("resource") or "", resource.get("subresource")
        wanted = Attributes(
            resource.get("verb") or "",
            resource.get("group") or "",
            f"{name}/{subresource}" if subresource else name or "*",
            resource.get("namespace") or "",
            resource.get("name") or "",
        )
    else:
        path = path or {}
        wanted = Attributes(path.get("verb") or "", path=path.get("path") or "")
    return {"allowed": authorizer.allows(user, wanted)}


def _rules(authorizer: Authorizer, obj: Object, user: User, _namespace: str) -> Object:
    namespace = path_of(obj, "spec", "namespace", default="")
    if not namespace:
        raise bad_request("no namespace on request")
    rules = authorizer.rules_in(user, namespace)
    resources = [
        _kept(rule, ("verbs", "apiGroups", "resources", "resourceNames")) for rule in rules if "resources" in rule
    ]
    paths = [_kept(rule, ("verbs", "nonResourceURLs")) for rule in rules if "nonResourceURLs" in rule]
    return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}


def _kept(rule: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {field: rule[field] for field in fields if field in rule}


def _who_am_i(_authorizer: Authorizer, _obj: Object, user: User, _namespace: str) -> Object:
    return {"userInfo": {"username": user.name, "groups": list(user.groups)}}


def _token(_authorizer: Authorizer, obj: Object, _user: User, _namespace: str) -> Object:
    if not path_of(obj, "spec", "token"):
        raise _refused(obj, [required("spec.token")])
    return {"authenticated": False, "user": {}, "error": "no authenticator here knows tokens"}


def _refused(obj: Object, errors: list[FieldError]) -> Exception:
    group = obj["apiVersion"].partition("/")[0]
    return invalid_object(obj["kind"], group, "", errors)


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


def reviewed(authorizer: Authorizer, target: Target, obj: Object, user: User) -> Entry:
    """The answer to a question.

    Raises:
        StatusError: 400, 422: the question makes no sense.
    """
    metadata = {"creationTimestamp": None}
    obj = {**obj, "apiVersion": target.kind.api_version, "kind": target.kind.name, "metadata": metadata}
    obj["status"] = REVIEWS[target.kind.collection](authorizer, obj, user, target.namespace)
    return Entry(target.namespace, "", 0, Raw(pack(obj)), obj)
