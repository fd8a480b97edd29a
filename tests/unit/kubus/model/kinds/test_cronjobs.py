"""CronJobs: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.cronjobs import KIND
from kubus.testing.kinds import created, sent, shown


def test_defaults_allow_overlap_and_keep_a_short_history():
    spec = created(KIND, sent(KIND))["spec"]
    assert spec["concurrencyPolicy"] == "Allow"
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 1)


def test_the_row():
    status = {"active": [{}, {}], "lastScheduleTime": "2026-01-31T11:58:00Z"}
    row = shown(KIND, sent(KIND, spec={"schedule": "@daily", "suspend": True}, status=status))
    assert (row["Schedule"], row["Timezone"], row["Suspend"]) == ("@daily", "<none>", "True")
    assert (row["Active"], row["Last Schedule"]) == (2, "2m")
    assert shown(KIND, sent(KIND))["Last Schedule"] == "<none>"
