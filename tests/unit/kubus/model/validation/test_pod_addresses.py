"""Addresses in a pod's status."""

from __future__ import annotations

import pytest

from kubus.model.objects import Object
from kubus.model.validation.pod_addresses import pod_status_errors

IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def pod(**status: object) -> Object:
    return {"metadata": {"name": "p"}, "spec": {}, "status": status}


def ips(*addresses: str) -> list[Object]:
    return [{"ip": each} for each in addresses]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, []),
        ({"podIP": "10.0.0.1", "podIPs": ips("10.0.0.1", "::2")}, []),
        ({"podIP": "x"}, [f'status.podIPs[0]: Invalid value: "x": {IP}']),
        ({"podIPs": ips("x")}, [f'status.podIPs[0]: Invalid value: "x": {IP}']),
        ({"podIP": "x", "podIPs": ips("10.0.0.1")}, [f'status.podIP: Invalid value: "x": {IP}']),
        ({"hostIP": "x"}, [f'status.hostIPs[0]: Invalid value: "x": {IP}']),
        (
            {"hostIP": "10.0.0.1", "hostIPs": ips("10.0.0.2")},
            ['status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`'],
        ),
        (
            {"podIPs": ips("10.0.0.1", "10.0.0.2")},
            [
                'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: '
                "may specify no more than one IP for each IP family"
            ],
        ),
    ],
)
def test_addresses_are_addresses(status: Object, expected: list[str]) -> None:
    assert [str(each) for each in pod_status_errors(pod(**status), None)] == expected


def test_what_is_stored_already_does_not_stand_in_the_way() -> None:
    stored = pod(podIP="x", podIPs=ips("x"))
    assert pod_status_errors(stored, stored) == []
    assert pod_status_errors(pod(podIP="y", podIPs=ips("x")), stored) != []
