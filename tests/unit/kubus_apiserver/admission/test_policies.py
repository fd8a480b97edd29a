"""ValidatingAdmissionPolicies decide in CEL."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import ADMIN, Api

from kubus.model.codec import from_json
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.policies import FAILURE

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}


def config_map(name: str, labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def policy(*validations: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {"matchConstraints": {"resourceRules": [RULE]}, "validations": list(validations), **spec},
    }


def binding(*actions: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "b"},
        "spec": {"policyName": "p", "validationActions": list(actions or ("Deny",)), **spec},
    }


async def bound(api: Api, made: dict[str, Any], how: dict[str, Any]) -> None:
    await api.ok("POST", f"{GROUP}/validatingadmissionpolicies", made)
    await api.ok("POST", f"{GROUP}/validatingadmissionpolicybindings", how)
    await api.core.freshness.consistent()


async def test_what_does_not_hold_is_denied_in_the_words_of_the_rule(api: Api) -> None:
    rules = ({"expression": "size(object.data) <= 1"}, {"expression": "!('x' in object.data)", "message": "no x"})
    await bound(api, policy(*rules), binding())
    await api.ok("POST", MAPS, config_map("fine", a="1"))
    refused = await api("POST", MAPS, config_map("two", a="1", b="2"))
    start = "is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request:"
    assert (refused.code, refused.body["reason"]) == (422, "Invalid")
    assert refused.message == f'configmaps "two" {start} failed expression: size(object.data) <= 1'
    assert (await api("POST", MAPS, config_map("x", x="1"))).message == f'configmaps "x" {start} no x'
    patched = await api("PATCH", f"{MAPS}/fine", {"data": {"x": "1"}}, content_type="application/merge-patch+json")
    assert patched.code == 422


async def test_message_expression_reason_variables_and_old_object(api: Api) -> None:
    rule = {
        "expression": "variables.before <= variables.now",
        "messageExpression": "'went from ' + string(variables.before) + ' to ' + string(variables.now)",
        "reason": "Forbidden",
    }
    variables = [
        {"name": "now", "expression": "int(object.data.n)"},
        {"name": "before", "expression": "oldObject == null ? 0 : int(oldObject.data.n)"},
        {"name": "broken", "expression": "object.data.nothing"},
    ]
    await bound(api, policy(rule, variables=variables), binding())
    await api.ok("POST", MAPS, config_map("m", n="3"))
    refused = await api("PUT", f"{MAPS}/m", config_map("m", n="2"))
    assert refused.code == 403
    assert refused.message.endswith("denied request: went from 3 to 2")


async def test_warn_lets_pass_and_says_so(api: Api) -> None:
    await bound(api, policy({"expression": "false", "message": "never"}), binding("Warn", "Audit"))
    made = await api("POST", MAPS, config_map("m"))
    assert made.code == 201
    assert made.answer.warnings == ("Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': never",)


async def test_parameters_come_from_objects_that_the_binding_names(api: Api) -> None:
    rule = {"expression": "!has(object.data) || size(object.data) <= int(params.data.most)"}
    await api.ok("POST", MAPS, config_map("limits", most="1"))
    param = {"name": "limits", "parameterNotFoundAction": "Deny"}
    made = policy(rule, paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
    await bound(api, made, binding(paramRef=param))
    assert (await api("POST", MAPS, config_map("m", a="1"))).code == 201
    assert (await api("POST", MAPS, config_map("n", a="1", b="1"))).code == 422
    missing = await api("POST", "/api/v1/namespaces/kube-system/configmaps", config_map("m"))
    assert "no params found for policy binding with `Deny` parameterNotFoundAction" in missing.message


@pytest.mark.parametrize(("failure_policy", "code"), [("Fail", 422), ("Ignore", 201)])
async def test_what_has_no_value_is_for_the_failure_policy(api: Api, failure_policy: str, code: int) -> None:
    await bound(api, policy({"expression": "object.spec.nothing == 1"}, failurePolicy=failure_policy), binding())
    made = await api("POST", MAPS, config_map("m"))
    assert made.code == code
    if code != 201:
        assert "expression 'object.spec.nothing == 1' resulted in error: no such key: spec" in made.message


async def test_conditions_and_selectors_narrow_down(api: Api) -> None:
    conditions = [{"name": "not-admin", "expression": "request.userInfo.username != 'admin'"}]
    await bound(api, policy({"expression": "false"}, matchConditions=conditions), binding())
    assert (await api("POST", MAPS, config_map("m"))).code == 201
    other = binding(matchResources={"objectSelector": {"matchLabels": {"strict": "yes"}}})
    other["metadata"]["name"] = "c"
    await bound(api, {**policy({"expression": "false"}), "metadata": {"name": "q"}}, other)
    other["spec"]["policyName"] = "q"
    await api.ok("PUT", f"{GROUP}/validatingadmissionpolicybindings/c", other)
    await api.core.freshness.consistent()
    assert (await api("POST", MAPS, config_map("n"))).code == 201
    assert (await api("POST", MAPS, config_map("o", {"strict": "yes"}))).code == 422


async def test_a_policy_that_does_not_compile_is_refused_itself(api: Api) -> None:
    refused = await api("POST", f"{GROUP}/validatingadmissionpolicies", policy({"expression": "object.a +"}))
    assert refused.code == 422
    assert 'spec.validations[0].expression: Invalid value: "object.a +": compilation failed: ERROR' in refused.message


async def test_policies_are_not_asked_about_policies(api: Api) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    made = policy({"expression": "false"}, matchConstraints={"resourceRules": [everything]})
    await bound(api, made, binding())
    assert (await api("DELETE", MAPS.replace("configmaps", "secrets") + "/none")).code == 404
    assert (await api("POST", MAPS, config_map("m"))).code == 422
    await api.ok("DELETE", f"{GROUP}/validatingadmissionpolicybindings/b")


async def test_scale_is_a_resource_of_its_own(api: Api) -> None:
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments/scale"]}
    few = {"expression": "object.spec.replicas < 3"}
    await bound(api, policy(few, matchConstraints={"resourceRules": [rule]}), binding())
    labels = {"app": "d"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    path = "/apis/apps/v1/namespaces/default/deployments"
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}
    await api.ok("POST", path, body)
    merge = {"content_type": "application/merge-patch+json"}
    assert (await api("PATCH", f"{path}/d/scale", {"spec": {"replicas": 3}}, **merge)).code == 422
    assert (await api("PATCH", f"{path}/d", {"spec": {"replicas": 3}}, **merge)).code == 200


async def test_the_authorizer_is_asked_for_the_user_of_the_request(api: Api) -> None:
    account = "authorizer.serviceAccount('default', 'x')"
    rules = (
        {"expression": "authorizer.requestResource.check('update').allowed()", "message": "no update"},
        {
            "expression": f"!{account}.group('').resource('pods').check('get').allowed()",
            "message": "the account may",
        },
        {"expression": "authorizer.path('/metrics').check('get').reason() != ''", "message": "no path"},
    )
    await bound(api, policy(*rules), binding())
    assert (await api("POST", MAPS, config_map("m"))).code == 201
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "x"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "default"}],
    }
    await api.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", role)
    await api.core.freshness.consistent()
    refused = await api("POST", MAPS, config_map("n"))
    assert refused.message.endswith("denied request: the account may")


async def test_every_policy_is_asked_before_the_first_refusal_counts(api: Api) -> None:
    await bound(api, policy({"expression": "false", "message": "first"}), binding())
    other, how = policy({"expression": "false", "message": "second"}), binding("Warn")
    other["metadata"]["name"] = how["metadata"]["name"] = how["spec"]["policyName"] = "q"
    await bound(api, other, how)
    refused = await api("POST", MAPS, config_map("m"))
    assert refused.message.endswith("denied request: first")
    assert refused.answer.warnings == ("Validation failed for ValidatingAdmissionPolicy 'q' with binding 'q': second",)


async def test_notes_for_the_audit_log(api: Api) -> None:
    heard: dict[str, str] = {}
    notes = [
        {"key": "size", "valueExpression": "'size: ' + string(object.data.size())"},
        {"key": "none", "valueExpression": "has(object.immutable) ? dyn('x') : dyn(null)"},
    ]
    made = policy({"expression": "true"}, {"expression": "false", "message": "no"}, auditAnnotations=notes)
    await bound(api, made, binding("Audit"))
    kind = api.core.by_resource("configmaps.core")
    assert kind is not None
    proposal = Proposal(ADMIN, "create", kind, "", config_map("m", a="1"), None, annotate=heard.__setitem__)
    proposal.object["metadata"]["namespace"] = "default"
    await api.core.gate.validated(proposal)
    failure = {"message": "no", "policy": "p", "binding": "b", "expressionIndex": 1, "validationActions": ["Audit"]}
    assert heard.pop("p/size") == "size: 1"
    assert from_json(heard.pop(FAILURE).encode()) == [failure]
    assert not heard


async def test_an_equivalent_version_is_seen_as_the_one_that_the_policy_names(api: Api) -> None:
    rule = {**RULE, "apiGroups": ["autoscaling"], "apiVersions": ["v1"], "resources": ["horizontalpodautoscalers"]}
    held = {"expression": "has(object.spec.targetCPUUtilizationPercentage) && request.kind.version == 'v1'"}
    await bound(api, policy(held, matchConstraints={"resourceRules": [rule]}), binding())
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": resource}]}
    body = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": spec}
    path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
    assert (await api("POST", path, body)).code == 201
    spec["metrics"] = [{"type": "Resource", "resource": {**resource, "name": "memory"}}]
    body["metadata"] = {"name": "i"}
    assert (await api("POST", path, body)).code == 422


async def test_some_names_are_not_known_everywhere(api: Api) -> None:
    for rule, words in (
        ({"expression": "params.data.a == 'b'"}, "undeclared reference to 'params'"),
        ({"expression": "true", "messageExpression": "authorizer.path('/').check('get').reason()"}, "authorizer"),
        ({"expression": "variables.nothing == 1"}, "undefined field 'nothing'"),
    ):
        refused = await api("POST", f"{GROUP}/validatingadmissionpolicies", policy(rule))
        assert refused.code == 422
        assert words in refused.message
