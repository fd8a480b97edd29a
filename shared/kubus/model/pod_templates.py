"""Where the kinds that make pods keep their pod template."""

from __future__ import annotations

from collections.abc import Mapping

TEMPLATE_PATHS: Mapping[str, tuple[str, ...]] = {
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
    "podtemplates.core": ("template",),
    **dict.fromkeys(
        (
            "daemonsets.apps",
            "deployments.apps",
            "jobs.batch",
            "replicasets.apps",
            "replicationcontrollers.core",
            "statefulsets.apps",
        ),
        ("spec", "template"),
    ),
}
"""Collection → path of the template in an object."""
