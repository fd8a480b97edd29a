"""Impersonation: a request in another's name, by `Impersonate-…` headers.

Who asks needs the verb `impersonate` for every part of the identity they take on: the user (or ServiceAccount), each
group, the uid, each value of each extra. The request is then authorized, admitted and recorded as the other's; the
audit log names both.

Kubernetes answers headers that make no sense with 500; here they are 400, as the client sent them.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from kubus.model.errors import bad_request
from kubus_apiserver.access.authorization import Attributes, Authorizer
from kubus_apiserver.access.service_accounts import account_of, groups_of
from kubus_apiserver.calls import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User

_PREFIX = "impersonate-"
_EXTRA = "impersonate-extra-"
_AUTHENTICATION = "authentication.k8s.io"


class Wanted(NamedTuple):
    """Whom a request wants to be."""

    user: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


def wanted(headers: Iterable[tuple[str, str]]) -> Wanted | None:
    """What the headers of a request ask for; None for most.

    Raises:
        StatusError: 400, a part of an identity without a user.
    """
    found = [(name, value) for name, value in _lowered(headers) if name.startswith(_PREFIX)]
    if not found:
        return None
    user, uid = "", ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    for name, value in found:
        if name == "impersonate-user":
            user = user or value
        elif name == "impersonate-group":
            groups.append(value)
        elif name == "impersonate-uid":
            uid = uid or value
        elif name.startswith(_EXTRA):
            extra.setdefault(unquote(name.removeprefix(_EXTRA)), []).append(value)
    if not user:
        if not (groups or uid or extra):
            return None
        raise bad_request("requested impersonation of groups, a uid or extras without impersonating a user")
    return Wanted(user, tuple(groups), uid, tuple((key, tuple(values)) for key, values in extra.items()))


def _lowered(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        yield name.lower(), value


def impersonated(asking: User, other: Wanted, authorizer: Authorizer) -> User:
    """The other, if who asks may be them.

    Raises:
        StatusError: 403.
    """
    for attributes in _needed(other):
        authorizer.check(asking, attributes)
    groups = list(other.groups)
    account = account_of(other.user)
    if account is not None and not groups:
        groups = list(groups_of(account[0]))
    marked = AUTHENTICATED in groups or UNAUTHENTICATED in groups
    if not marked:
        groups.append(UNAUTHENTICATED if other.user == ANONYMOUS.name else AUTHENTICATED)
    return User(other.user, tuple(groups), other.uid, other.extra)


def _needed(other: Wanted) -> Iterator[Attributes]:
    account = account_of(other.user)
    if account is not None:
        namespace, name = account
        yield Attributes("impersonate", "", "serviceaccounts", namespace, name)
    else:
        yield Attributes("impersonate", "", "users", "", other.user)
    for group in other.groups:
        yield Attributes("impersonate", "", "groups", "", group)
    for key, values in other.extra:
        for value in values:
            yield Attributes("impersonate", _AUTHENTICATION, f"userextras/{key}", "", value)
    if other.uid:
        yield Attributes("impersonate", _AUTHENTICATION, "uids", "", other.uid)
