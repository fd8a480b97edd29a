"""The audit policy that a cluster begins with.

What users and programs with tokens change is recorded, and who looked at Secrets. What the cluster's own components do
on the bus is left out: every change of theirs stands in the journal with who, why and what.
"""

from __future__ import annotations

from pathlib import Path

from kubus.model.yaml_writing import write_yaml
from kubus_cli import identities
from kubus_cli.private_files import write_private

FILE = "audit-policy.yaml"
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": [each.user for each in identities.ON_BUS if each.user != identities.ADMIN.user]},
        {"level": "None", "userGroups": ["system:nodes"]},
        {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]},
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
    ],
}


def ensure_policy(home: Path) -> None:
    """Write the policy where there is none; the one that is there is somebody's decision."""
    path = home / FILE
    if not path.exists():
        write_private(path, write_yaml(POLICY))
