"""Sysctls of a pod: names of kernel settings, each once, and none of a namespace that the pod shares with its host.

Which of the well-formed ones a node lets pods have is for its kubelet. Follows `validateSysctls` of
pkg/apis/core/validation.
"""

from __future__ import annotations

import re

from kubus.model.errors import FieldError, duplicate, invalid, required
from kubus.model.objects import Object

NAME_CHARACTERS_MAX = 253
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_PATTERN = rf"({_SEGMENT}[\\./])*{_SEGMENT}"
_NAME = re.compile(rf"({_SEGMENT}[./])*{_SEGMENT}")
_SHARED = {"hostNetwork": ("net.",), "hostIPC": ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")}


def sysctl_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with the sysctls of a pod's spec."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, sysctl in enumerate((spec.get("securityContext") or {}).get("sysctls") or ()):
        at, name = f"{path}.securityContext.sysctls[{index}].name", sysctl.get("name") or ""
        if not name:
            errors.append(required(at))
        elif len(name) > NAME_CHARACTERS_MAX or not _NAME.fullmatch(name):
            detail = f"must have at most {NAME_CHARACTERS_MAX} characters and match regex ^{_PATTERN}$"
            errors.append(invalid(at, name, detail))
        elif name.replace("/", ".") in seen:
            errors.append(duplicate(at, name))
        else:
            errors += [
                invalid(at, name, f"may not be specified when '{shared}' is true")
                for shared, prefixes in _SHARED.items()
                if spec.get(shared) and name.replace("/", ".").startswith(prefixes)
            ]
        seen.add(name.replace("/", "."))
    return errors
