"""PriorityLevelConfigurations."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, at
from kubus.model.kinds import Column, Kind

KIND = Kind(
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    name="PriorityLevelConfiguration",
    plural="prioritylevelconfigurations",
    namespaced=False,
    schema="io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
    status=True,
    generation=True,
    columns=(
        NAME,
        Column("Type", at("spec", "type"), description="Exempt or limited."),
        Column(
            "NominalConcurrencyShares",
            at("spec", "limited", "nominalConcurrencyShares", default=NONE),
            description="Its share of requests at once.",
        ),
        Column(
            "Queues",
            at("spec", "limited", "limitResponse", "queuing", "queues", default=NONE),
            description="Queues it has.",
        ),
        Column(
            "HandSize",
            at("spec", "limited", "limitResponse", "queuing", "handSize", default=NONE),
            description="Queues a flow may use.",
        ),
        Column(
            "QueueLengthLimit",
            at("spec", "limited", "limitResponse", "queuing", "queueLengthLimit", default=NONE),
            description="Requests a queue holds.",
        ),
        AGE,
    ),
)
