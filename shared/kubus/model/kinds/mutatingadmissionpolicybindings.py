"""MutatingAdmissionPolicyBindings."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at, plain
from kubus.model.defaults.admission import param_ref_text, set_policy_binding_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.validation.policies import mutating_binding_errors

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    name="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
    namespaced=False,
    schema="io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
    categories=("api-extensions",),
    generation=True,
    defaults=set_policy_binding_defaults,
    rules=(mutating_binding_errors,),
    columns=(
        NAME,
        Column("PolicyName", at("spec", "policyName"), description="The policy it puts to work."),
        Column("ParamRef", plain(param_ref_text), description="Its parameters."),
        AGE,
    ),
)
