"""What Podman is told of a container."""

from __future__ import annotations

import signal

import pytest

from kubus_kubelet.container_specs import (
    Making,
    Mount,
    container_spec,
    image_hash,
    oom_score,
    resource_limits,
    security,
    stop_signal,
)
from kubus_kubelet.references import ConfigError

POD = {"metadata": {"name": "web", "namespace": "default", "uid": "u1"}, "spec": {"containers": []}}


def making(**more):
    given = {
        "attempt": 2,
        "streak": 1,
        "image": "sha256:1",
        "variables": {"A": "1"},
        "environment": {"A": "1", "PATH": "/bin"},
        "mounts": [Mount("/src", "/dst", read_only=True)],
        "netns": "/run/netns/u1",
        "hostname": "web",
        "log_path": "/log",
        "log_bytes_max": 10,
    }
    return Making(**{**given, **more})


def test_labels_tell_everything_a_later_kubelet_has_to_know():
    container = {"name": "app", "image": "nginx"}
    labels = container_spec(POD, container, making())["labels"]
    assert labels == {
        "kubus.pod.uid": "u1",
        "kubus.pod.name": "web",
        "kubus.pod.namespace": "default",
        "kubus.container": "app",
        "kubus.attempt": "2",
        "kubus.streak": "1",
        "kubus.image-hash": image_hash(container),
        "kubus.image": "nginx",
    }


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({}, {}),
        ({"args": ["$(A)"]}, {"command": ["1"]}),
        ({"command": ["sh", "$(A)"]}, {"entrypoint": ["sh", "1"], "command": []}),
        ({"command": ["sh"], "args": ["-c", "$$(A)"]}, {"entrypoint": ["sh"], "command": ["-c", "$(A)"]}),
    ],
)
def test_command_and_args_replace_the_images_as_in_kubernetes(container, expected):
    spec = container_spec(POD, {"name": "app", **container}, making())
    assert {key: spec[key] for key in ("entrypoint", "command") if key in spec} == expected


def test_mounts_and_namespaces():
    spec = container_spec(POD, {"name": "app", "workingDir": "/w"}, making())
    assert spec["netns"] == {"nsmode": "path", "value": "/run/netns/u1"}
    assert spec["mounts"] == [
        {"destination": "/dst", "source": "/src", "type": "bind", "options": ["rbind", "rprivate", "ro"]}
    ]
    assert spec["work_dir"] == "/w"
    host = {**POD, "spec": {"hostNetwork": True, "hostPID": True, "hostIPC": True}}
    spec = container_spec(host, {"name": "app"}, making(netns=""))
    assert [spec[each]["nsmode"] for each in ("netns", "pidns", "ipcns", "utsns")] == ["host"] * 4


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, {"cpu": {"shares": 2}}),
        ({"requests": {"cpu": "250m"}}, {"cpu": {"shares": 256}}),
        ({"limits": {"cpu": "500m"}}, {"cpu": {"shares": 512, "quota": 50000, "period": 100000}}),
        ({"limits": {"memory": "64Mi"}}, {"cpu": {"shares": 2}, "memory": {"limit": 64 * 2**20}}),
    ],
)
def test_resources_become_cgroup_limits(resources, expected):
    assert resource_limits({"resources": resources}) == expected


@pytest.mark.parametrize(
    ("resources", "score"),
    [
        ({}, 1000),
        ({"requests": {"cpu": "1"}}, 500),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}, 0),
    ],
)
def test_pods_without_limits_are_killed_first(resources, score):
    assert oom_score({"resources": resources}) == score


@pytest.mark.parametrize(
    ("whole", "own", "expected"),
    [
        ({"runAsUser": 1}, {}, {"user": "1"}),
        ({"runAsUser": 1, "runAsGroup": 2}, {"runAsUser": 3}, {"user": "3:2"}),
        ({"fsGroup": 5, "supplementalGroups": [6]}, {}, {"groups": ["6", "5"]}),
        ({}, {"privileged": True}, {"privileged": True}),
        (
            {},
            {"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}},
            {"cap_add": ["CAP_NET_ADMIN"], "cap_drop": ["ALL"]},
        ),
        ({}, {"readOnlyRootFilesystem": True}, {"read_only_filesystem": True}),
        ({}, {"allowPrivilegeEscalation": False}, {"no_new_privileges": True}),
        ({"sysctls": [{"name": "a.b", "value": "1"}]}, {}, {"sysctl": {"a.b": "1"}}),
    ],
)
def test_security_contexts(whole, own, expected):
    pod = {"spec": {"securityContext": whole}}
    assert security(pod, {"securityContext": own}) == {**expected, "seccomp_profile_path": "unconfined"}


@pytest.mark.parametrize("image_user", ["", "0", "1000", "1000:1001", "app", "app:staff"])
@pytest.mark.parametrize("groups", [{}, {"supplementalGroups": [7]}, {"fsGroup": 8}, {"fsGroup": 8, "runAsGroup": 3}])
@pytest.mark.parametrize("own", [{}, {"runAsUser": 5}, {"runAsUser": 5, "runAsGroup": 6}, {"runAsGroup": 6}])
@pytest.mark.parametrize("non_root", [False, True])
def test_no_group_of_a_pod_changes_the_user_of_its_container(image_user, groups, own, non_root):
    pod = {**POD, "spec": {"securityContext": {**groups, "runAsNonRoot": non_root}}}
    container = {"name": "app", "securityContext": own}
    user_of_image = image_user.partition(":")[0]
    if non_root and "runAsUser" not in own and user_of_image in ("", "0", "app"):
        with pytest.raises(ConfigError, match=r"image (will run as root|has non-numeric user \(app\))"):
            security(pod, container, image_user)
        return
    found = security(pod, container, image_user)
    user, _, group = (found.get("user") or image_user or "0").partition(":")
    assert user == str(own.get("runAsUser", user_of_image or "0"))
    wanted = own.get("runAsGroup", groups.get("runAsGroup"))
    if wanted is not None:
        assert group == str(wanted)
    expected = [str(each) for each in (*groups.get("supplementalGroups", ()), groups.get("fsGroup")) if each]
    assert found.get("groups", []) == expected


def test_the_runtimes_seccomp_profile_is_podmans_own():
    assert security({"spec": {}}, {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}) == {}


@pytest.mark.parametrize(
    ("context", "image_user", "words"),
    [
        (
            {"runAsNonRoot": True},
            "",
            r'^container has runAsNonRoot and image will run as root \(pod: "web_default\(u1\)", container: app\)$',
        ),
        ({"runAsNonRoot": True, "runAsGroup": 5}, "", "image will run as root"),
        ({"runAsNonRoot": True}, "0:0", "image will run as root"),
        ({"runAsNonRoot": True}, "nginx", "non-numeric user"),
        ({"runAsNonRoot": True, "runAsUser": 0}, "", "breaks non-root policy"),
    ],
)
def test_who_must_not_be_root_is_not_started_as_root(context, image_user, words):
    with pytest.raises(ConfigError, match=words):
        security(POD, {"name": "app", "securityContext": context}, image_user)
    security(POD, {"name": "app", "securityContext": {**context, "runAsUser": 7}}, image_user)


@pytest.mark.parametrize(
    ("own", "images", "expected"),
    [
        ("", "", signal.SIGTERM),
        ("", "SIGQUIT", signal.SIGQUIT),
        ("", "3", signal.SIGQUIT),
        ("SIGUSR1", "SIGQUIT", signal.SIGUSR1),
        ("", "NONSENSE", signal.SIGTERM),
    ],
)
def test_the_stop_signal_is_the_containers_or_the_images(own, images, expected):
    container = {"lifecycle": {"stopSignal": own}} if own else {}
    assert stop_signal(container, images) == expected
