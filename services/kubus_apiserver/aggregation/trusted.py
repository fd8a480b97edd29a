"""How extension apiservers know this one: the ConfigMap kube-system/extension-apiserver-authentication.

It holds the authority that signs users' certificates, the authority of the front proxy, and the headers in which the
front proxy says who asks. Several apiservers share it, so each adds what it knows and takes nothing away. Pure.

https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#extension-apiserver-authenticates-the-request
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.objects import Object

NAMESPACE, NAME = "kube-system", "extension-apiserver-authentication"
FRONT_PROXY = "front-proxy-client"
_CLIENT_CA, _PROXY_CA = "client-ca-file", "requestheader-client-ca-file"
_LISTS: dict[str, tuple[str, ...]] = {
    "requestheader-allowed-names": (FRONT_PROXY,),
    "requestheader-extra-headers-prefix": ("X-Remote-Extra-",),
    "requestheader-group-headers": ("X-Remote-Group",),
    "requestheader-uid-headers": ("X-Remote-Uid",),
    "requestheader-username-headers": ("X-Remote-User",),
}
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


def wanted_data(client_ca: str, proxy_ca: str) -> dict[str, str]:
    """What this apiserver has to say."""
    data = {_CLIENT_CA: client_ca} if client_ca else {}
    if proxy_ca:
        data |= {_PROXY_CA: proxy_ca, **{key: _text(values) for key, values in _LISTS.items()}}
    return data


def merged(wanted: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
    """What is there, with what is wanted."""
    found = dict(there)
    for key, value in wanted.items():
        before = there.get(key, "")
        found[key] = _certificates(before, value) if key in (_CLIENT_CA, _PROXY_CA) else _list(before, value)
    return found


def config_map(data: Mapping[str, str]) -> Object:
    """The ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "data": dict(data),
    }


def _certificates(before: str, more: str) -> str:
    blocks = dict.fromkeys(each.strip() for each in (*_PEM.findall(before), *_PEM.findall(more)))
    return "".join(f"{each}\n" for each in blocks)


def _list(before: str, more: str) -> str:
    try:
        given = from_json(before or "[]")
    except DecodeError:
        given = []
    known = [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
    return _text(dict.fromkeys((*known, *from_json(more))))


def _text(values: Iterable[str]) -> str:
    return to_json(list(values)).decode()
