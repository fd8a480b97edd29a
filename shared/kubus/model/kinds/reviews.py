"""Questions rather than objects: reviews of tokens and of rights.

They are created and answered in one request, and never stored; the apiserver answers them by code of its own. Here
they are declared for discovery, routes and schemas.
"""

from __future__ import annotations

from kubus.model.kinds import Kind


def _review(group: str, name: str, *, namespaced: bool = False) -> Kind:
    return Kind(
        group=f"{group}.k8s.io",
        version="v1",
        name=name,
        plural=f"{name.lower()}s",
        namespaced=namespaced,
        schema=f"io.k8s.api.{group}.v1.{name}",
        verbs=("create",),
    )


TOKEN_REVIEWS = _review("authentication", "TokenReview")
SELF_SUBJECT_REVIEWS = _review("authentication", "SelfSubjectReview")
SUBJECT_ACCESS_REVIEWS = _review("authorization", "SubjectAccessReview")
SELF_SUBJECT_ACCESS_REVIEWS = _review("authorization", "SelfSubjectAccessReview")
SELF_SUBJECT_RULES_REVIEWS = _review("authorization", "SelfSubjectRulesReview")
LOCAL_SUBJECT_ACCESS_REVIEWS = _review("authorization", "LocalSubjectAccessReview", namespaced=True)
TOKEN_REQUESTS = _review("authentication", "TokenRequest", namespaced=True)
"""Served as the subresource `token` of ServiceAccounts, not by itself."""

KINDS = (
    TOKEN_REVIEWS,
    SELF_SUBJECT_REVIEWS,
    SUBJECT_ACCESS_REVIEWS,
    SELF_SUBJECT_ACCESS_REVIEWS,
    SELF_SUBJECT_RULES_REVIEWS,
    LOCAL_SUBJECT_ACCESS_REVIEWS,
)
