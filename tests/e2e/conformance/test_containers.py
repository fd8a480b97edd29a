"""[sig-node]: what containers find in their environment, run as, leave behind, and wait for."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.cluster.conftest import Cluster, eventually
from tests.e2e.conformance.conftest import Api, Object
from tests.e2e.conformance.containers import Case, differences, finish, logs_of, namespace_path, pod_of

pytestmark = pytest.mark.e2e

ENTRY_IMAGE = "localhost/kubus-entry:1"


@pytest.fixture(scope="module")
def entry_image(image: str) -> str:
    """An image with an entry point and arguments of its own: it echoes them."""
    text = f'FROM {image}\nENTRYPOINT ["echo", "entry"]\nCMD ["default", "arguments"]\n'
    command = ["podman", "build", "--quiet", "--tag", ENTRY_IMAGE, "-"]
    subprocess.run(command, input=text, text=True, check=True, capture_output=True)
    return ENTRY_IMAGE


def variable(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def amount(name: str, resource: str, **more: Any) -> Object:
    return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource, **more}}}


def test_environments_come_from_values_objects_fields_and_resources(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    value = base64.b64encode(b"from a secret").decode()
    api.create(f"{path}/configmaps", {"metadata": {"name": "map"}, "data": {"ONE": "from a map"}})
    api.create(f"{path}/secrets", {"metadata": {"name": "secret"}, "data": {"TWO": value}})
    keys = [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "map", "key": "ONE"}}},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "TWO"}}},
    ]
    whole = [{"prefix": "map_", "configMapRef": {"name": "map"}}, {"secretRef": {"name": "secret"}}]
    about = [
        variable("NAME", "metadata.name"),
        variable("SPACE", "metadata.namespace"),
        variable("UID_", "metadata.uid"),
        variable("POD_IP", "status.podIP"),
        variable("HOST_IP", "status.hostIP"),
    ]
    amounts = [
        amount("CPU_LIMIT", "limits.cpu"),
        amount("CPU_REQUEST", "requests.cpu", divisor="1m"),
        amount("MEMORY_LIMIT", "limits.memory"),
        amount("MEMORY_REQUEST", "requests.memory", divisor="1Mi"),
    ]
    sizes = {"limits": {"cpu": "1250m", "memory": "64Mi"}, "requests": {"cpu": "250m", "memory": "32Mi"}}
    composed = [{"name": "ONE", "value": "1"}, {"name": "BOTH", "value": "$(ONE);;$(NONE);;$$(ONE)"}]
    cases = [
        Case("keys", "echo $A, $B", "from a map, from a secret", more={"env": keys}),
        Case("whole", "echo $map_ONE, $TWO", "from a map, from a secret", more={"envFrom": whole}),
        Case("composed", "echo $BOTH", "1;;$(NONE);;$(ONE)", more={"env": composed}),
        Case(
            "amounts",
            "echo $CPU_LIMIT $CPU_REQUEST $MEMORY_LIMIT $MEMORY_REQUEST",
            "2 250 67108864 32",
            more={"env": amounts, "resources": sizes},
        ),
    ]
    pod = pod_of("environment", cases)
    fields = Case("fields", "echo $NAME $SPACE $UID_ $POD_IP $HOST_IP", "", more={"env": about})
    defaults = Case("defaults", "echo $CPU_LIMIT $MEMORY_LIMIT", "", more={"env": [amounts[0], amounts[2]]})
    pod["spec"]["containers"] += [fields.container(), defaults.container()]
    found = finish(api, path, pod)
    logs = logs_of(api, path, found)
    assert differences(cases, logs) == {}
    status = found["status"]
    expected = ["environment", namespace, found["metadata"]["uid"], status["podIP"], status["hostIP"]]
    assert logs["fields"].split() == expected
    allocatable = api.get(f"/api/v1/nodes/{found['spec']['nodeName']}")["status"]["allocatable"]
    cpu, memory = map(int, logs["defaults"].split())
    assert cpu == round(float(allocatable["cpu"]))
    assert allocatable["memory"] in (f"{memory // 1024}Ki", str(memory))


def test_commands_and_arguments_override_the_images_and_expand_variables(
    api: Api, namespace: str, entry_image: str
) -> None:
    path = namespace_path(api, namespace)
    plain = {"image": entry_image, "imagePullPolicy": "Never"}
    env = [{"name": "WORD", "value": "expanded"}]
    containers = [
        {"name": "defaults", **plain},
        {"name": "arguments", **plain, "args": ["override", "arguments"]},
        {"name": "command", **plain, "command": ["echo", "command"]},
        {"name": "both", **plain, "command": ["echo", "command"], "args": ["and", "arguments"]},
        {"name": "expanded-args", **plain, "env": env, "args": ["$(WORD)"]},
        {"name": "expanded-command", **plain, "env": env, "command": ["echo", "$(WORD)"]},
    ]
    expected = {
        "defaults": "entry default arguments",
        "arguments": "entry override arguments",
        "command": "command",
        "both": "command and arguments",
        "expanded-args": "entry expanded",
        "expanded-command": "expanded",
    }
    pod = pod_of("commands", [])
    pod["spec"]["containers"] = containers
    logs = logs_of(api, path, finish(api, path, pod))
    assert {name: log.strip() for name, log in logs.items()} == expected


def security(**context: Any) -> Object:
    return {"securityContext": context}


def test_security_contexts_reach_the_container(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    cases = [
        Case("from-pod", "echo $(id -u) $(id -g)", "1001 2002"),
        Case("user", "echo $(id -u) $(id -g)", "65534 2002", more=security(runAsUser=65534)),
        Case("user-and-group", "echo $(id -u) $(id -g)", "1003 3003", more=security(runAsUser=1003, runAsGroup=3003)),
        Case(
            "unprivileged",
            "ip link add dummy0 type dummy 2>/dev/null && echo made || echo refused",
            "refused",
            more=security(privileged=False, runAsUser=0),
        ),
        Case(
            "writable",
            "touch /file && echo written",
            "written",
            more=security(readOnlyRootFilesystem=False, runAsUser=0),
        ),
        Case(
            "read-only",
            "touch /file 2>/dev/null && echo written || echo refused",
            "refused",
            more=security(readOnlyRootFilesystem=True, runAsUser=0),
        ),
        Case(
            "no-escalation",
            "grep NoNewPrivs /proc/self/status | tr -d '[:blank:]'",
            "NoNewPrivs:1",
            more=security(allowPrivilegeEscalation=False),
        ),
        Case("sysctl", "cat /proc/sys/kernel/shm_rmid_forced", "1"),
    ]
    sysctls = [{"name": "kernel.shm_rmid_forced", "value": "1"}]
    context = {"runAsUser": 1001, "runAsGroup": 2002, "sysctls": sysctls}
    found = finish(api, path, pod_of("secured", cases, securityContext=context))
    assert differences(cases, logs_of(api, path, found)) == {}


def test_hosts_files_name_the_pod_and_its_aliases(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    aliases = [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]
    own = {"name": "own", "emptyDir": {}}
    cases = [
        Case("aliases", "grep 123.45.67.89 /etc/hosts | tr -s '[:blank:]' ' '", "123.45.67.89 foo bar"),
        Case("name", 'test "$(grep $(hostname) /etc/hosts | cut -f1)" = "$IP" && echo same', "same"),
        Case("managed", "grep -c Kubernetes-managed /etc/hosts", "1"),
        Case("own", "test -d /etc/hosts && echo own", "own", {"/etc/hosts": "own"}),
    ]
    pod = pod_of("named", cases, hostAliases=aliases, volumes=[own])
    pod["spec"]["containers"][1]["env"] = [variable("IP", "status.podIP")]
    assert differences(cases, logs_of(api, path, finish(api, path, pod))) == {}


def test_termination_messages_come_from_the_file_or_the_log(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    fallback = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    other_path = {"terminationMessagePath": "/dev/termination-custom-log"}
    cases = {
        "file": (Case("file", "printf DONE > /dev/termination-log", "", more=fallback), "DONE"),
        "empty": (Case("empty", "echo ignored", "", more=fallback), None),
        "log": (Case("log", "printf DONE; exit 1", "", more=fallback), "DONE"),
        "custom": (
            Case(
                "custom",
                "printf DONE > /dev/termination-custom-log",
                "",
                more={**other_path, **security(runAsUser=1000)},
            ),
            "DONE",
        ),
    }
    found = finish(api, path, pod_of("messages", [case for case, _ in cases.values()]))
    states = {each["name"]: each["state"]["terminated"] for each in found["status"]["containerStatuses"]}
    assert {name: state.get("message") for name, state in states.items()} == {
        name: message for name, (_, message) in cases.items()
    }
    assert {name: state["reason"] for name, state in states.items()} == {
        "file": "Completed",
        "empty": "Completed",
        "log": "Error",
        "custom": "Completed",
    }


def init_pod(name: str, policy: str, *scripts: str, main: str = "sleep 1000") -> Object:
    inits = [Case(f"init-{number}", script, "").container() for number, script in enumerate(scripts)]
    return pod_of(name, [Case("main", main, "")], restartPolicy=policy, initContainers=inits)


def initialized(pod: Object) -> str:
    found = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
    return found.get("Initialized", "")


def test_init_containers_run_before_the_others_and_their_failure_keeps_these_from_starting(
    api: Api, namespace: str
) -> None:
    path = namespace_path(api, namespace)
    done = finish(api, path, init_pod("once", "Never", "true", "true", main="true"))
    assert (done["status"]["phase"], initialized(done)) == ("Succeeded", "True")
    failed = finish(api, path, init_pod("fails", "Never", "exit 1", "true"))
    assert (failed["status"]["phase"], initialized(failed)) == ("Failed", "False")
    assert "waiting" in failed["status"]["containerStatuses"][0]["state"]

    api.create(f"{path}/pods", init_pod("goes-on", "Always", "true", "true"))

    def look(name: str) -> Any:
        return api.get(f"{path}/pods/{name}")["status"]

    eventually(lambda: look("goes-on").get("phase") == "Running", what="the pod after its init containers")
    api.create(f"{path}/pods", init_pod("tries", "Always", "exit 1", "true"))

    def restarts() -> int:
        statuses = look("tries").get("initContainerStatuses") or [{}]
        return int(statuses[0].get("restartCount", 0))

    eventually(restarts, seconds=60, expected=lambda count: count >= 1, what="another try of the init container")
    status = look("tries")
    assert status["phase"] == "Pending"
    assert "waiting" in status["containerStatuses"][0]["state"]


def test_a_container_that_always_fails_says_so_and_can_be_deleted(api: Api, namespace: str) -> None:
    path = namespace_path(api, namespace)
    api.create(f"{path}/pods", pod_of("fails", [Case("main", "exit 1", "")], restartPolicy="Always"))

    def ended() -> Any:
        status = (api.get(f"{path}/pods/fails")["status"].get("containerStatuses") or [{}])[0]
        return status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}

    assert eventually(ended, what="the failure")["reason"] == "Error"
    api.ok("DELETE", f"{path}/pods/fails")
    eventually(lambda: api.call("GET", f"{path}/pods/fails").code == 404, what="the pod's end")


SERVE = "mkdir -p /tmp/www; echo ok > /tmp/www/healthz; httpd -f -p 8080 -h /tmp/www"
PROBES = {
    "http": ({"httpGet": {"path": "/healthz", "port": 8080}}, SERVE),
    "tcp": ({"tcpSocket": {"port": 8080}}, SERVE),
    "exec": ({"exec": {"command": ["cat", "/tmp/health"]}}, "echo ok > /tmp/health; sleep 1000"),
}


def probed(name: str, probe: Object, script: str, kind: str = "livenessProbe", **more: Any) -> Object:
    timing = {"periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 5, **more}
    return pod_of(name, [Case("main", script, "", more={kind: {**probe, **timing}})], restartPolicy="Always")


@pytest.fixture
def pods(api: Api, namespace: str) -> Iterator[str]:
    """The path of the namespace's pods."""
    yield f"{namespace_path(api, namespace)}/pods"


def restart_count(api: Api, pods: str, name: str) -> int:
    statuses = api.get(f"{pods}/{name}")["status"].get("containerStatuses") or [{}]
    return int(statuses[0].get("restartCount", 0))


def test_liveness_probes_restart_what_fails_and_nothing_else(api: Api, pods: str) -> None:
    for name, (probe, script) in PROBES.items():
        api.create(pods, probed(f"{name}-well", probe, script, initialDelaySeconds=2))
    broken = {
        "http": "mkdir -p /tmp/www; echo ok > /tmp/www/healthz; (sleep 3; rm /tmp/www/healthz) & "
        "httpd -f -p 8080 -h /tmp/www",
        "tcp": "httpd -f -p 8080 & sleep 3; kill $!; sleep 1000",
        "exec": "echo ok > /tmp/health; sleep 3; rm /tmp/health; sleep 1000",
    }
    for name, (probe, _) in PROBES.items():
        api.create(pods, probed(f"{name}-fails", probe, broken[name], initialDelaySeconds=2))
    seen: dict[str, list[int]] = {name: [] for name in PROBES}

    def all_restarted_twice() -> bool:
        for name, counts in seen.items():
            counts.append(restart_count(api, pods, f"{name}-fails"))
        return all(counts[-1] >= 2 for counts in seen.values())

    eventually(all_restarted_twice, seconds=100, what="two restarts of each")
    assert all(counts == sorted(counts) for counts in seen.values())
    assert [restart_count(api, pods, f"{name}-well") for name in PROBES] == [0, 0, 0]


def test_readiness_waits_for_its_delay_and_never_restarts(api: Api, pods: str) -> None:
    fails = {"exec": {"command": ["false"]}}
    works = {"exec": {"command": ["true"]}}
    api.create(pods, probed("never", fails, "sleep 1000", "readinessProbe"))
    api.create(pods, probed("later", works, "sleep 1000", "readinessProbe", initialDelaySeconds=5))

    def conditions(name: str) -> Any:
        return {each["type"]: each for each in api.get(f"{pods}/{name}")["status"].get("conditions", ())}

    def ready(name: str) -> bool:
        return bool(conditions(name).get("Ready", {}).get("status") == "True")

    eventually(lambda: ready("later"), what="readiness after the delay")
    status = api.get(f"{pods}/later")["status"]
    started = status["containerStatuses"][0]["state"]["running"]["startedAt"]
    assert conditions("later")["Ready"]["lastTransitionTime"] > started
    assert not ready("never")
    assert restart_count(api, pods, "never") == restart_count(api, pods, "later") == 0


def test_hooks_run_after_the_start_and_before_the_stop_by_command_and_by_http(
    api: Api, two_nodes: Cluster, namespace: str, pods: str
) -> None:
    cgi = '#!/bin/sh\\necho $QUERY_STRING >> /tmp/seen\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n"\\n'
    script = (
        f"mkdir -p /tmp/www/cgi-bin; printf '{cgi}' > /tmp/www/cgi-bin/note; chmod +x /tmp/www/cgi-bin/note; "
        "httpd -f -p 8080 -h /tmp/www"
    )
    catcher = pod_of("catcher", [Case("main", script, "")])
    catcher["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    api.create(pods, catcher)
    eventually(lambda: api.get(f"{pods}/catcher")["status"].get("phase") == "Running", what="the catcher")
    address = api.get(f"{pods}/catcher")["status"]["podIP"]

    def by_http(what: str) -> Object:
        return {"httpGet": {"host": address, "port": 8080, "path": f"/cgi-bin/note?{what}"}}

    def by_command(what: str) -> Object:
        return {"exec": {"command": ["wget", "-q", "-O", "-", f"http://{address}:8080/cgi-bin/note?{what}"]}}

    for name, hook in (("http", by_http), ("exec", by_command)):
        lifecycle = {"postStart": hook(f"{name}-started"), "preStop": hook(f"{name}-stops")}
        pod = pod_of(name, [Case("main", "exec sleep 1000", "", more={"lifecycle": lifecycle})])
        pod["spec"]["terminationGracePeriodSeconds"] = 15
        api.create(pods, pod)

    def seen() -> list[str]:
        command = ("-n", namespace, "exec", "catcher", "--", "sh", "-c", "cat /tmp/seen 2>/dev/null || true")
        return two_nodes.kubectl(*command).stdout.split()

    eventually(seen, expected=lambda found: sorted(found) == ["exec-started", "http-started"], what="both starts")
    for name in ("http", "exec"):
        api.ok("DELETE", f"{pods}/{name}", {"gracePeriodSeconds": 5})
    expected = ["exec-started", "exec-stops", "http-started", "http-stops"]
    eventually(seen, seconds=60, expected=lambda found: sorted(found) == expected, what="both stops")
