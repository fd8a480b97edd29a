"""MutatingWebhookConfigurations."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, count
from kubus.model.defaults.admission import set_mutating_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.validation.admission import webhooks_errors

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    name="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    namespaced=False,
    schema="io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
    categories=("api-extensions",),
    generation=True,
    defaults=set_mutating_defaults,
    rules=(webhooks_errors,),
    columns=(
        NAME,
        Column("Webhooks", count("webhooks"), "integer", description="How many it asks."),
        AGE,
    ),
)
