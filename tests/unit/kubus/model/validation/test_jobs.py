"""Jobs and cron jobs: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.cronjobs import KIND as CRON_JOBS
from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.validation.jobs import schedule_problem
from kubus.testing.kinds import complaints, copy_of, created, sent

POD = {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}


def _job(pod=None, **spec):
    obj = sent(JOBS, spec={"template": {"spec": {**POD, **(pod or {})}}, **spec}, metadata={"uid": "u1"})
    return created(JOBS, obj)


def _cron(**spec):
    job = {"spec": {"template": {"spec": POD}}}
    return created(CRON_JOBS, sent(CRON_JOBS, spec={"schedule": "*/5 * * * *", "jobTemplate": job, **spec}))


def test_ordinary_jobs_are_fine():
    assert complaints(JOBS, _job()) == []
    assert complaints(CRON_JOBS, _cron()) == []


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (
            _job({"restartPolicy": "Always"}),
            'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
        ),
        (_job(parallelism=-1), "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"),
        (
            _job(completionMode="Indexed", parallelism=2),
            "spec.completions: Required value: when completion mode is Indexed",
        ),
        (
            _job(completionMode="Indexed", completions=100_001),
            "spec.completions: Invalid value: 100001: must be less than or equal to 100000",
        ),
        (
            _job(backoffLimitPerIndex=1),
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
        ),
        (
            _job(completionMode="Indexed", completions=2, maxFailedIndexes=1),
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        ),
        (
            _job(completionMode="Indexed", completions=2, backoffLimitPerIndex=1, maxFailedIndexes=3),
            "spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions",
        ),
        (
            _job(completionMode="Sorted"),
            'spec.completionMode: Unsupported value: "Sorted": supported values: "Indexed", "NonIndexed"',
        ),
        (
            _job({"restartPolicy": "OnFailure"}, podFailurePolicy={"rules": []}),
            'spec.template.spec.restartPolicy: Invalid value: "OnFailure": '
            'only "Never" is supported when podFailurePolicy is specified',
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(job, expected):
    assert complaints(JOBS, job) == [expected]


def _changed(job, **spec):
    new = copy_of(job)
    new["spec"].update(spec)
    return new


def test_a_jobs_work_stays_the_same():
    old = _job()
    assert complaints(JOBS, _changed(old, parallelism=3, suspend=True), old) == []
    assert complaints(JOBS, _changed(old, completions=3), old) == [
        "spec.completions: Invalid value: 3: field is immutable"
    ]
    template = copy_of(old["spec"]["template"])
    template["spec"]["containers"][0]["image"] = "j"
    (error,) = complaints(JOBS, _changed(old, template=template), old)
    assert error.startswith('spec.template: Invalid value: {"')
    assert error.endswith(": field is immutable")


def test_a_job_that_waits_may_be_sent_elsewhere():
    old = _job(suspend=True)
    template = copy_of(old["spec"]["template"])
    template["spec"]["nodeSelector"] = {"zone": "a"}
    assert complaints(JOBS, _changed(old, template=template), old) == []


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("* * * * *", ""),
        ("*/5 0-6,12 1 jan-mar mon", ""),
        ("@daily", ""),
        ("@every 1h30m", ""),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        ("every minute", "expected exactly 5 fields, found 2: [every minute]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("1.5 * * * *", "failed to parse int from 1.5"),
    ],
)
def test_schedules(schedule, problem):
    assert schedule_problem(schedule) == problem


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        (_cron(schedule=""), "spec.schedule: Required value"),
        (
            _cron(concurrencyPolicy="Maybe"),
            'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"',
        ),
        (
            _cron(schedule="TZ=UTC * * * * *"),
            'spec.schedule: Invalid value: "TZ=UTC * * * * *": '
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
        ),
    ],
)
def test_cron_jobs(cron, expected):
    assert complaints(CRON_JOBS, cron) == [expected]


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("", "timeZone must be nil or non-empty string"),
        ("Mars/Olympus", "unknown time zone Mars/Olympus"),
        ("../etc/passwd", "unknown time zone ../etc/passwd"),
        ("-05:00", "unknown time zone -05:00"),
        ("Local", "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"),
    ],
)
def test_a_cron_jobs_zone_is_one_that_exists(zone, words):
    assert complaints(CRON_JOBS, _cron(timeZone=zone)) == [f'spec.timeZone: Invalid value: "{zone}": {words}']


def test_a_zone_that_was_accepted_once_stays():
    old = _cron(timeZone="Europe/Berlin")
    assert complaints(CRON_JOBS, old) == []
    gone = _cron(timeZone="Gone/Away")
    assert complaints(CRON_JOBS, copy_of(gone), gone) == []


def test_a_cron_jobs_name_leaves_room_for_those_of_its_jobs():
    cron = _cron()
    cron["metadata"]["name"] = "x" * 53
    assert complaints(CRON_JOBS, cron) == [
        f'metadata.name: Invalid value: "{"x" * 53}": must be no more than 52 characters'
    ]


def test_the_jobs_of_a_cron_job_select_by_themselves():
    job = {"spec": {"template": {"spec": POD}, "manualSelector": True}}
    assert complaints(CRON_JOBS, _cron(jobTemplate=job)) == [
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"'
    ]
