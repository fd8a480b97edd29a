"""The audit log: who did what, as JSON lines of audit.k8s.io/v1 Events.

The record of an answer is handed to the kernel before the answer is sent, in one write to a file that is only ever
appended to, so a client that was told of a change finds it recorded even if this process is killed in the next moment.
(A machine that loses power may lose what the kernel had not written yet.) A file that has grown too large is set aside
under the time, and a new one begun.

A disk that takes nothing does not keep anybody from an answer: by then the change is made, and a client that heard an
error would make it again. Events that are lost are counted (`apiserver_audit_error_total`) and logged.
"""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Any

from prometheus_client import CollectorRegistry, Counter

from kubus.model.codec import to_json
from kubus.model.names import random_uid
from kubus.model.objects import Object
from kubus.model.times import Clock, rfc3339_micro
from kubus.service.logs import Logger
from kubus_apiserver.access.audit_policy import Deed, Measure, Measures, Policy
from kubus_apiserver.calls import User

BYTES_MAX = 100 * 1024 * 1024
_COMPLAINT_SECONDS = 60.0
"""Between two log lines about a disk that goes on refusing."""


class AppendedFile:
    """Lines on a disk."""

    def __init__(self, path: Path, clock: Clock, bytes_max: int = BYTES_MAX) -> None:
        self._path = path
        self._clock = clock
        self._bytes_max = bytes_max
        self._descriptor, self._size = _opened(path)
        self._is_torn = False

    def write(self, line: bytes) -> None:
        """Append a line. After a failure the next line begins on a line of its own.

        Raises:
            OSError: the disk has not taken it, or only a part of it.
        """
        if self._size + len(line) > self._bytes_max and self._size:
            self._set_aside()
        data = b"\n" + line if self._is_torn else line
        written = os.write(self._descriptor, data)
        self._size += written
        if written:
            self._is_torn = written < len(data)
        if written < len(data):
            raise OSError(errno.ENOSPC, "the end of a line was not written")

    def _set_aside(self) -> None:
        """Begin a new file. Where that fails, the old one is still open and goes on under its new name."""
        at = self._clock.now().strftime("%Y-%m-%dT%H-%M-%S.%f")
        self._path.replace(self._path.with_name(f"{self._path.stem}-{at}{self._path.suffix}"))
        old = self._descriptor
        self._descriptor, self._size = _opened(self._path)
        self._is_torn = False
        os.close(old)


def _opened(path: Path) -> tuple[int, int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return descriptor, os.fstat(descriptor).st_size


class AuditLog:
    """Records by policy."""

    def __init__(
        self,
        policy: Policy,
        file: AppendedFile,
        clock: Clock,
        random: Random,
        *,
        log: Logger,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        self._measures = Measures(policy)
        self._file = file
        self._clock = clock
        self._random = random
        self._log = log
        self._lost = 0
        """Events since the last one that was written."""
        self._logged_at = -math.inf
        self._errors = Counter("apiserver_audit_error", "Audit events that were not written", registry=metrics)

    def wants(self, deed: Deed) -> bool:
        """Whether there is anything to record about a request."""
        return self._measures.of(deed).level != "None"

    def begin(self, deed: Deed, uri: str, *, agent: str = "", source: str = "", audit_id: str = "") -> Recording | None:
        """The record of a request that has come in; None where the policy wants none."""
        measure = self._measures.of(deed)
        if measure.level == "None":
            return None
        base: Object = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": measure.level,
            "auditID": audit_id or random_uid(self._random),
            "stage": "RequestReceived",
            "requestURI": uri,
            "verb": deed.verb,
            "user": _described(deed.user),
            "sourceIPs": [source] if source else [],
            "userAgent": agent,
            "requestReceivedTimestamp": rfc3339_micro(self._clock.now()),
        }
        if deed.resource:
            base["objectRef"] = _reference(deed)
        recording = Recording(self, base, measure)
        recording.tell("RequestReceived")
        return recording

    def write(self, event: Object) -> None:
        """Append an event."""
        event["stageTimestamp"] = rfc3339_micro(self._clock.now())
        try:
            self._file.write(to_json(event) + b"\n")
        except OSError as error:
            self._note_loss(error)
            return
        if self._lost:
            self._log.warning("the audit log is written again", lost=self._lost)
            self._lost, self._logged_at = 0, -math.inf

    def _note_loss(self, error: OSError) -> None:
        self._errors.inc()
        self._lost += 1
        now = self._clock.monotonic()
        if now - self._logged_at >= _COMPLAINT_SECONDS:
            self._logged_at = now
            self._log.error("the audit log cannot be written", reason=str(error), lost=self._lost)


class Recording:
    """One request's record."""

    def __init__(self, log: AuditLog, base: Object, measure: Measure) -> None:
        self._log = log
        self._base = base
        self._measure = measure

    @property
    def audit_id(self) -> str:
        """By which the answer and the log's lines are known to be of one request."""
        return str(self._base["auditID"])

    @property
    def wants_request(self) -> bool:
        """Whether the request's object is to be in it."""
        return self._measure.level in ("Request", "RequestResponse")

    @property
    def wants_response(self) -> bool:
        """Whether the answer is to be in it."""
        return self._measure.level == "RequestResponse"

    @property
    def is_nameless(self) -> bool:
        """Whether it is about an object whose name is not known yet."""
        return "objectRef" in self._base and "name" not in self._base["objectRef"]

    def named(self, metadata: Object) -> None:
        """The object has got a name, and a uid."""
        known = {field: metadata[field] for field in ("name", "uid") if metadata.get(field)}
        self._base["objectRef"] = {**self._base["objectRef"], **known}

    def impersonated(self, user: User) -> None:
        """The request was done in another's name."""
        self._base["impersonatedUser"] = _described(user)

    def annotated(self, annotations: Mapping[str, str]) -> None:
        """Admission has said something."""
        if annotations:
            self._base["annotations"] = {**self._base.get("annotations", {}), **annotations}

    def tell(
        self,
        stage: str,
        *,
        code: int = 0,
        status: Object | None = None,
        request: Any = None,
        response: Any = None,
    ) -> None:
        """Record a stage, unless the policy omits it."""
        if stage in self._measure.omitted_stages:
            return
        event = {**self._base, "stage": stage}
        if code:
            event["responseStatus"] = {"metadata": {}, **_kept(status or {}), "code": code}
        if self.wants_request and request is not None:
            event["requestObject"] = self._shown(request)
        if self.wants_response and response is not None:
            event["responseObject"] = self._shown(response)
        self._log.write(event)

    def _shown(self, value: Any) -> Any:
        metadata = value.get("metadata") if isinstance(value, dict) else None
        if not self._measure.omit_managed_fields or not isinstance(metadata, dict):
            return value
        return {**value, "metadata": {key: each for key, each in metadata.items() if key != "managedFields"}}


_described = lru_cache(maxsize=1024)(attrgetter("info"))


def _kept(status: Object) -> Object:
    return {field: status[field] for field in ("status", "message", "reason", "details") if status.get(field)}


def _reference(deed: Deed) -> Object:
    resource, _, subresource = deed.resource.partition("/")
    fields = {
        "resource": resource,
        "namespace": deed.namespace,
        "name": deed.name,
        "apiGroup": deed.group,
        "apiVersion": deed.version,
        "subresource": subresource,
    }
    return {key: value for key, value in fields.items() if value}
