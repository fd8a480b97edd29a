"""Subjects in words people use."""

import pytest

from kubus.model.kinds.builtin import builtin_kinds
from kubus_cli.failures import Misused
from kubus_cli.tap_subjects import subject_of

KINDS = builtin_kinds()


@pytest.mark.parametrize(
    ("words", "subject"),
    [
        ("", "kubus.ev.>"),
        ("pods", "kubus.ev.pods.core.*.>"),
        ("po/web-0", "kubus.ev.pods.core.*.web-0"),
        ("deploy/web", "kubus.ev.deployments.apps.*.web"),
        ("Deployment", "kubus.ev.deployments.apps.*.>"),
        ("ns/default", "kubus.ev.*.*.default.>"),
        ("namespaces", "kubus.ev.namespaces.core._.>"),
        ("nodes/n.1", "kubus.ev.nodes.core._.n%2e1"),
        ("endpointslices.discovery.k8s.io", "kubus.ev.endpointslices.discovery%2ek8s%2eio.*.>"),
        ("kubus.ev.pods.>", "kubus.ev.pods.>"),
    ],
)
def test_words_become_subjects(words, subject):
    assert subject_of(words, KINDS) == subject


def test_a_namespace_narrows():
    assert subject_of("pods", KINDS, "prod") == "kubus.ev.pods.core.prod.>"
    assert subject_of("", KINDS, "prod") == "kubus.ev.*.*.prod.>"


def test_a_namespace_that_cannot_be_one_is_refused():
    with pytest.raises(Misused, match="cannot be a namespace's name"):
        subject_of("pods", KINDS, "../x y")


def test_an_unknown_resource_is_refused_with_advice():
    with pytest.raises(Misused, match="no resource 'pots'"):
        subject_of("pots", KINDS)
