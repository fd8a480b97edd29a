"""APIServices of what is served here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds import Registry
from kubus.model.kinds.apiservices import KIND as APISERVICES
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.validation import object_errors
from kubus_apiserver.aggregation.local import AUTOMANAGED, corrected, differences, local_services


class Definition:
    """Makes a kind a custom one."""


WIDGETS = replace(DEPLOYMENTS, group="example.com", plural="widgets", custom=Definition())  # type: ignore[arg-type]
WANTED = local_services(Registry((CONFIG_MAPS, DEPLOYMENTS, WIDGETS, APISERVICES)))


def test_every_group_version_has_one_but_their_own() -> None:
    labels = {name: each["metadata"]["labels"][AUTOMANAGED] for name, each in WANTED.items()}
    assert labels == {"v1.": "onstart", "v1.apps": "onstart", "v1.example.com": "true"}
    spec = {"group": "example.com", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 100}
    assert WANTED["v1.example.com"]["spec"] == spec


def test_those_of_all_built_in_kinds_are_valid() -> None:
    for each in local_services(Registry(builtin_kinds())).values():
        assert object_errors(APISERVICES, each, None) == []


def altered(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """An APIService that somebody has changed."""
    found = WANTED[name]
    return {
        **found,
        "metadata": {**found["metadata"], "labels": found["metadata"]["labels"] if labels is None else labels},
        "spec": {**found["spec"], **spec},
    }


def test_what_is_missing_wrong_or_stale_is_named() -> None:
    there = {
        "v1.apps": altered("v1.apps", groupPriorityMinimum=1),
        "v1.example.com": altered("v1.example.com"),
        "v1.gone.com": {"metadata": {"name": "v1.gone.com", "labels": {AUTOMANAGED: "true"}}, "spec": {}},
        "v1.mine.com": {"metadata": {"name": "v1.mine.com"}, "spec": {}},
    }
    assert differences(WANTED, there) == (["v1."], ["v1.apps"], ["v1.gone.com"])


def test_one_without_the_label_is_its_owners() -> None:
    there = {**WANTED, "v1.apps": altered("v1.apps", labels={}, groupPriorityMinimum=1)}
    assert differences(WANTED, there) == ([], [], [])


@given(st.sets(st.sampled_from(sorted(WANTED))), st.sets(st.sampled_from(sorted(WANTED))))
@settings(max_examples=40)
def test_what_was_put_right_stays_right(deleted: set[str], changed: set[str]) -> None:
    there = {name: altered(name, versionPriority=7) if name in changed else each for name, each in WANTED.items()}
    there = {name: each for name, each in there.items() if name not in deleted}
    missing, wrong, _ = differences(WANTED, there)
    there |= {name: WANTED[name] for name in missing}
    there |= {name: corrected(WANTED[name], there[name]) for name in wrong}
    assert differences(WANTED, there) == ([], [], [])
