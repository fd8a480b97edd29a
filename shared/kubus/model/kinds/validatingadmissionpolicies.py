"""ValidatingAdmissionPolicies."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, count, plain
from kubus.model.defaults.admission import param_kind_text, set_policy_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.validation.policies import policy_errors

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    name="ValidatingAdmissionPolicy",
    plural="validatingadmissionpolicies",
    namespaced=False,
    schema="io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    categories=("api-extensions",),
    status=True,
    generation=True,
    defaults=set_policy_defaults,
    rules=(policy_errors,),
    columns=(
        NAME,
        Column("Validations", count("spec", "validations"), "integer", description="Rules it holds."),
        Column("ParamKind", plain(param_kind_text), description="The kind of its parameters."),
        AGE,
    ),
)
