"""log, exec, attach and portforward: from query parameters to the call that a kubelet gets.

The words of refusal are kubectl users' daily bread, so they are Kubernetes' own: a pod without a node, a container that
is not there, several containers and none named.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubus.model.errors import StatusError, bad_request
from kubus.model.objects import Object, path_of
from kubus.model.times import parse_time
from kubus_apiserver.doors.queries import first, flag, number

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def stream_call(verb: str, pod: Object, query: Mapping[str, list[str]]) -> tuple[str, Object]:
    """(node, call map) of a stream.

    Raises:
        StatusError: 400, 409.
    """
    metadata = pod["metadata"]
    if verb == "portforward":
        return _node(pod), _dial_call(pod)
    container = _container(pod, first(query, "container"))
    node = _node(pod)
    call: Object = {
        "verb": verb,
        "namespace": metadata.get("namespace", ""),
        "pod": metadata["name"],
        "uid": metadata["uid"],
        "container": container,
        "command": [],
        "stdin": False,
        "stdout": False,
        "stderr": False,
        "tty": False,
        "options": {},
    }
    if verb == "log":
        call["options"] = _log_options(query)
        return node, call
    if path_of(pod, "status", "phase") in ("Succeeded", "Failed"):
        raise StatusError(
            400,
            "BadRequest",
            f"cannot exec into a container in a completed pod; current phase is {pod['status']['phase']}",
        )
    call["command"] = list(query.get("command", ()))
    for stream in ("stdin", "stdout", "stderr", "tty"):
        call[stream] = flag(query, stream)
    if verb == "exec" and not call["command"]:
        raise bad_request("you must specify at least one command for the container")
    if not (call["stdin"] or call["stdout"] or call["stderr"]):
        raise bad_request("you must specify at least 1 of stdin, stdout, stderr")
    if call["tty"]:
        call["stderr"] = False
    return node, call


def _node(pod: Object) -> str:
    node = path_of(pod, "spec", "nodeName", default="")
    if not node:
        raise bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    return str(node)


def _dial_call(pod: Object) -> Object:
    """What a forwarded connection asks for, but for the port."""
    metadata = pod["metadata"]
    names = {"namespace": metadata.get("namespace", ""), "pod": metadata["name"], "uid": metadata["uid"]}
    return {"verb": "dial", **names, "local": True}


def _container(pod: Object, wanted: str) -> str:
    spec, name = pod.get("spec") or {}, pod["metadata"]["name"]
    regular = [each["name"] for each in spec.get("containers") or ()]
    initial = [each["name"] for each in spec.get("initContainers") or ()]
    ephemeral = [each["name"] for each in spec.get("ephemeralContainers") or ()]
    if wanted:
        if wanted not in regular + initial + ephemeral:
            raise bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(regular) == 1:
        return str(regular[0])
    marked = (pod["metadata"].get("annotations") or {}).get(_DEFAULT_CONTAINER)
    if marked in regular:
        return str(marked)
    choices = f"[{' '.join(regular)}]"
    detail = f"a container name must be specified for pod {name}, choose one of: {choices}"
    if initial:
        detail += f" or one of the init containers: [{' '.join(initial)}]"
    raise bad_request(detail)


def _log_options(query: Mapping[str, list[str]]) -> Object:
    options: Object = {
        "follow": flag(query, "follow"),
        "previous": flag(query, "previous"),
        "timestamps": flag(query, "timestamps"),
    }
    for field in ("tailLines", "sinceSeconds", "limitBytes"):
        value = number(query, field)
        if value is not None:
            if value < (0 if field == "tailLines" else 1):
                raise bad_request(
                    f"{field}: Invalid value: {value}: must be greater than {'or equal to ' * (field == 'tailLines')}0"
                )
            options[field] = value
    if since := first(query, "sinceTime"):
        if "sinceSeconds" in options:
            raise bad_request("at most one of `sinceTime` or `sinceSeconds` may be specified")
        try:
            parse_time(since)
        except ValueError:
            raise bad_request(f"sinceTime: Invalid value: {since[:64]!r}: must be an RFC 3339 time") from None
        options["sinceTime"] = since
    return options
