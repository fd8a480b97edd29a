"""What a new pod gets from its ServiceAccount."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.kinds.pods import KIND as PODS
from kubus_apiserver.access.account_mount import MOUNT_PATH, account_mount
from kubus_apiserver.admission import Proposal
from kubus_apiserver.calls import User


def admitted(told: Any, verb: str = "create", **spec: Any) -> dict[str, Any]:
    obj = {
        "metadata": {"name": "p", "namespace": "d", **spec.pop("metadata", {})},
        "spec": {"containers": [{"name": "c"}, {"name": "s"}], **spec},
    }
    account_mount(Proposal(User("alice"), verb, PODS, "", obj, None, uid="u"), told.cache)
    found: dict[str, Any] = obj["spec"]
    return found


def test_each_container_finds_token_authority_and_namespace(told: Any) -> None:
    spec = admitted(told, initContainers=[{"name": "i"}])
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-") and len(volume["name"]) == 21
    token, authority, namespace = volume["projected"]["sources"]
    assert token == {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    assert authority["configMap"]["name"] == "kube-root-ca.crt"
    assert namespace["downwardAPI"]["items"][0]["path"] == "namespace"
    for container in (*spec["containers"], *spec["initContainers"]):
        (mount,) = container["volumeMounts"]
        assert mount == {"name": volume["name"], "readOnly": True, "mountPath": MOUNT_PATH}


def test_admission_that_runs_again_gives_the_same(told: Any) -> None:
    assert admitted(told) == admitted(told)


def test_a_container_that_a_webhook_has_added_shares_the_volume(told: Any) -> None:
    spec = admitted(told)
    again = admitted(told, containers=[*spec["containers"], {"name": "injected"}], volumes=spec["volumes"])
    assert again["volumes"] == spec["volumes"]
    assert again["containers"][-1]["volumeMounts"][0]["name"] == spec["volumes"][0]["name"]


def test_a_container_with_a_mount_of_its_own_keeps_it(told: Any) -> None:
    own = [{"name": "mine", "mountPath": MOUNT_PATH}]
    spec = admitted(told, containers=[{"name": "c", "volumeMounts": own}])
    assert spec["containers"][0]["volumeMounts"] == own and "volumes" not in spec


@pytest.mark.parametrize(
    ("account", "pod", "mounted"), [(None, None, True), (False, None, False), (False, True, True), (None, False, False)]
)
def test_pod_and_account_may_say_no(told: Any, account: bool | None, pod: bool | None, mounted: bool) -> None:
    said = {} if account is None else {"automountServiceAccountToken": account}
    told.put("serviceaccounts.core", "d", "default", **said)
    spec = admitted(told, **({} if pod is None else {"automountServiceAccountToken": pod}))
    assert bool(spec.get("volumes")) is mounted


def test_pull_secrets_come_from_the_account_unless_the_pod_has_some(told: Any) -> None:
    told.put("serviceaccounts.core", "d", "default", imagePullSecrets=[{"name": "account"}])
    assert admitted(told)["imagePullSecrets"] == [{"name": "account"}]
    assert admitted(told, imagePullSecrets=[{"name": "own"}])["imagePullSecrets"] == [{"name": "own"}]


def test_an_account_that_is_not_there_refuses_the_pod(told: Any) -> None:
    with pytest.raises(StatusError) as refused:
        admitted(told, serviceAccountName="ghost")
    assert refused.value.message == (
        'pods "p" is forbidden: error looking up service account d/ghost: serviceaccount "ghost" not found'
    )


def test_updates_and_mirror_pods_get_nothing(told: Any) -> None:
    assert "volumes" not in admitted(told, verb="update")
    assert "volumes" not in admitted(told, metadata={"annotations": {"kubernetes.io/config.mirror": "x"}})
