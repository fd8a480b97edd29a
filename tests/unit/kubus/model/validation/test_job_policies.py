"""The policies of a job: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.validation.job_policies import indexes_count
from kubus.testing.kinds import complaints, created, sent

POD = {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}
RULE = "spec.podFailurePolicy.rules[0]"
CODES = {"operator": "In", "values": [1]}


def _job(**spec):
    obj = sent(JOBS, spec={"template": {"spec": POD}, **spec}, metadata={"uid": "u1"})
    return complaints(JOBS, created(JOBS, obj))


def _failing(**rule):
    return _job(podFailurePolicy={"rules": [{"action": "FailJob", **rule}]})


def _succeeding(**rule):
    return _job(completionMode="Indexed", completions=5, successPolicy={"rules": [rule]})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"onExitCodes": {**CODES, "containerName": "c"}}, []),
        ({"onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}, []),
        ({}, [f"{RULE}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"]),
        (
            {"onExitCodes": CODES, "onPodConditions": [{"type": "X", "status": "True"}]},
            [f"{RULE}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported"],
        ),
        (
            {"onExitCodes": CODES, "action": ""},
            [f'{RULE}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'],
        ),
        (
            {"onExitCodes": CODES, "action": "FailIndex"},
            [f'{RULE}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set'],
        ),
        (
            {"onExitCodes": {"operator": "Out", "values": [1]}},
            [f'{RULE}.onExitCodes.operator: Unsupported value: "Out": supported values: "In", "NotIn"'],
        ),
        (
            {"onExitCodes": {**CODES, "containerName": "x"}},
            [
                f'{RULE}.onExitCodes.containerName: Invalid value: "x": '
                "must be one of the container or initContainer names in the pod template"
            ],
        ),
        (
            {"onExitCodes": {"operator": "In", "values": [3, 0, 3]}},
            [
                f"{RULE}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
                f"{RULE}.onExitCodes.values[2]: Duplicate value: 3",
                f"{RULE}.onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
            ],
        ),
        (
            {"onPodConditions": [{"type": "X", "status": "Perhaps"}]},
            [
                f'{RULE}.onPodConditions[0].status: Unsupported value: "Perhaps": '
                'supported values: "False", "True", "Unknown"'
            ],
        ),
    ],
)
def test_each_rule_about_failures_says_when_and_what(rule, expected):
    assert _failing(**rule) == expected


def test_a_failure_policy_replaces_only_what_has_failed():
    policy = {"rules": [{"action": "Ignore", "onExitCodes": CODES}]}
    assert _job(podFailurePolicy=policy, podReplacementPolicy="TerminatingOrFailed") == [
        'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"succeededIndexes": "0,2-4", "succeededCount": 4}, []),
        ({}, ["spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes "]),
        (
            {"succeededIndexes": "0,2", "succeededCount": 3},
            ["spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 "],
        ),
        (
            {"succeededCount": 6},
            ["spec.successPolicy.rules[0].succeededCount: Invalid value: 6: must be less than or equal to 5 "],
        ),
        (
            {"succeededIndexes": "7"},
            ['spec.successPolicy.rules[0].succeededIndexes: Invalid value: "7": error parsing succeededIndexes: too '],
        ),
    ],
)
def test_each_rule_about_success_can_be_met(rule, expected):
    said = _succeeding(**rule)
    assert len(said) == len(expected)
    assert all(one.startswith(start) for one, start in zip(said, expected, strict=True))


def test_success_by_index_needs_indexes():
    (said,) = _job(successPolicy={"rules": [{"succeededCount": 1}]})
    assert said.endswith("requires indexed completion mode")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1-2-3", 'the fragment "1-2-3" violates the requirement'),
        ("a", 'cannot convert string to integer for index: "a"'),
        ("10", 'too large index: "10"'),
        ("3,2", "non-increasing order, previous: 3, current: 2"),
        ("3-3", "non-increasing order, previous: 3, current: 3"),
    ],
)
def test_indexes_that_cannot_be_read(text, words):
    with pytest.raises(ValueError, match=words):
        indexes_count(text, 10)


def test_indexes_are_counted():
    assert [indexes_count(text, 10) for text in ("", "3", "0,2-4,9")] == [0, 1, 5]
