"""What is seen of a pod on this node, and what is to be done about it: values.

`PodSeen` is the world as the pod machine (`kubus_kubelet.pod_machine`) is shown it; the actions are what it
answers with. Neither knows of Podman, tasks or clocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from kubus.model.objects import Object

Step = Literal["created", "running", "exited"]


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """One container of a pod: one attempt at one entry of its spec."""

    id: str
    name: str
    attempt: int = 0
    """0 for the first; what `restartCount` shows."""
    streak: int = 0
    """How many attempts in a row, before this one, ended soon."""
    step: Step = "running"
    pid: int = 0
    image: str = ""
    image_id: str = ""
    image_hash: str = ""
    """Hash of the part of the spec that, when changed, asks for a new container."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int = 0
    reason: str = ""
    """Of its end, where there is more to say than the exit code does: OOMKilled, StartError."""
    message: str = ""
    """Termination message."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a container could not be started, and when it is tried again."""

    reason: str
    """ErrImagePull, ErrImageNeverPull, InvalidImageName, CreateContainerConfigError, CreateContainerError."""
    message: str
    at: datetime
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why this node does not take a pod at all."""

    reason: str
    """OutOfcpu, OutOfmemory, OutOfpods, NodeAffinity, NodePorts, TaintToleration, SysctlForbidden."""
    message: str


@dataclass(frozen=True, slots=True)
class ProbeVerdict:
    """What probes say of one running container; no probe is a passed probe."""

    started: bool = True
    ready: bool = True
    failed: str = ""
    """Not empty: liveness or startup failed for good, and says so in these words."""


@dataclass(frozen=True, slots=True)
class PodSeen:
    """Everything about a pod that decisions rest on, beside its object."""

    prepared: bool = False
    """Whether sandbox, volumes and files stand."""
    address: str = ""
    node_address: str = ""
    containers: tuple[ContainerSeen, ...] = ()
    """Every attempt that still exists."""
    busy: frozenset[str] = frozenset()
    """Containers (by name) that are being started or stopped; "" is the pod as a whole."""
    failures: Mapping[str, Failure] = field(default_factory=dict)
    verdicts: Mapping[str, ProbeVerdict] = field(default_factory=dict)
    """By container id."""
    sync_error: str = ""
    """Not empty: the pod's worker failed, and runs anew for too short a time to be trusted."""
    hooks: frozenset[str] = frozenset()
    """Ids of containers whose postStart hook has not ended: their process runs, but they are not Running yet."""
    rejection: Rejection | None = None
    """Why the node did not take the pod: it has failed, and nothing of it is started."""
    gone: bool = False
    """Whether the API no longer has the pod."""


@dataclass(frozen=True, slots=True)
class PreparePod:
    """Make sandbox, volumes and files."""


@dataclass(frozen=True, slots=True)
class StartContainer:
    """Pull the image if need be, create, start."""

    name: str
    attempt: int
    streak: int


@dataclass(frozen=True, slots=True)
class ResumeContainer:
    """Start a container that an earlier kubelet created and did not come to start."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class StopContainer:
    """preStop hook, the stop signal, a wait, SIGKILL."""

    id: str
    name: str
    grace_seconds: float
    message: str
    hook: bool = True


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    """Remove a dead container that nothing needs any more."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ReleasePod:
    """The pod has ended: take sandbox and volumes down, keep dead containers for their logs."""


@dataclass(frozen=True, slots=True)
class RemovePod:
    """Remove every trace of the pod here, then tell the API that it is gone."""


Action = PreparePod | StartContainer | ResumeContainer | StopContainer | RemoveContainer | ReleasePod | RemovePod


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now, what to report, and when to look again even if nothing happens."""

    actions: tuple[Action, ...]
    status: Object
    again_at: datetime | None = None
