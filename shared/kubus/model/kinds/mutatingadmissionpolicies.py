"""MutatingAdmissionPolicies."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, count, plain
from kubus.model.defaults.admission import param_kind_text, set_policy_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.validation.policies import mutating_policy_errors

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    name="MutatingAdmissionPolicy",
    plural="mutatingadmissionpolicies",
    namespaced=False,
    schema="io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
    categories=("api-extensions",),
    generation=True,
    defaults=set_policy_defaults,
    rules=(mutating_policy_errors,),
    columns=(
        NAME,
        Column("Mutations", count("spec", "mutations"), "integer", description="Changes it makes."),
        Column("ParamKind", plain(param_kind_text), description="The kind of its parameters."),
        AGE,
    ),
)
