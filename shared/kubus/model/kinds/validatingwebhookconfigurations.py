"""ValidatingWebhookConfigurations."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, count
from kubus.model.defaults.admission import set_validating_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.validation.admission import webhooks_errors

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    name="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    namespaced=False,
    schema="io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
    categories=("api-extensions",),
    generation=True,
    defaults=set_validating_defaults,
    rules=(webhooks_errors,),
    columns=(
        NAME,
        Column("Webhooks", count("webhooks"), "integer", description="How many it asks."),
        AGE,
    ),
)
