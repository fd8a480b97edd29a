"""Addresses of Services: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.services import KIND
from kubus.testing.kinds import complaints, copy_of, created, sent

PORT = {"port": 80}


def _service(**spec):
    return created(KIND, sent(KIND, spec={"ports": [PORT], **spec}))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"clusterIP": "x", "clusterIPs": ["x"]},
            'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
        (
            {"clusterIPs": ["10.0.0.1"]},
            'spec.clusterIPs: Invalid value: ["10.0.0.1"]: must be empty when `clusterIP` is not specified',
        ),
        (
            {"clusterIP": "None", "clusterIPs": ["None", "10.0.0.1"], "ipFamilyPolicy": "PreferDualStack"},
            'spec.clusterIPs: Invalid value: ["None","10.0.0.1"]: \'None\' must be the first and only value',
        ),
        (
            {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "10.0.0.2"], "ipFamilyPolicy": "PreferDualStack"},
            'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: '
            "may specify no more than one IP for each IP family",
        ),
        (
            {"ipFamilies": ["IPv5"]},
            'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
        ),
        (
            {"ipFamilies": ["IPv4", "IPv4"], "ipFamilyPolicy": "PreferDualStack"},
            'spec.ipFamilies[1]: Duplicate value: "IPv4"',
        ),
        (
            {"ipFamilies": ["IPv6"]},
            'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
        ),
        (
            {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "SingleStack"},
            "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' "
            "when multiple IP families are specified",
        ),
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": '
            "this cluster is not configured for dual-stack services",
        ),
        (
            {"ipFamilyPolicy": "Triple"},
            'spec.ipFamilyPolicy: Unsupported value: "Triple": supported values: '
            '"PreferDualStack", "RequireDualStack", "SingleStack"',
        ),
        (
            {"clusterIP": "2001:db8::1", "ipFamilies": ["IPv4"]},
            'spec.clusterIPs[0]: Invalid value: "2001:db8::1": expected an IPv4 value as indicated by `ipFamilies[0]`',
        ),
        (
            {"externalIPs": ["nowhere"]},
            'spec.externalIPs[0]: Invalid value: "nowhere": '
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
        (
            {"externalIPs": ["192.0.2.1", "127.0.0.1"]},
            'spec.externalIPs[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        ),
        (
            {"externalIPs": ["0.0.0.0"]},
            'spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
        ),
        (
            {"externalIPs": ["169.254.1.1"]},
            'spec.externalIPs[0]: Invalid value: "169.254.1.1": '
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        ),
        (
            {"externalIPs": ["224.0.0.1"]},
            'spec.externalIPs[0]: Invalid value: "224.0.0.1": '
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(spec, expected):
    assert complaints(KIND, _service(**spec)) == [expected]


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"clusterIP": "10.0.0.1"}, {"externalIPs": ["192.0.2.1"]}, {}])
def test_what_is_well_formed_is_taken(spec):
    assert complaints(KIND, _service(**spec)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            {"clusterIP": "10.0.0.1"},
            {"clusterIP": "", "clusterIPs": []},
            ["spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset"],
        ),
        (
            {"clusterIP": "10.0.0.1"},
            {"clusterIP": "None", "clusterIPs": ["None"]},
            ['spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set'],
        ),
        (
            {"clusterIP": "None", "selector": {"a": "b"}},
            {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"]},
            ['spec.clusterIPs[0]: Invalid value: ["10.0.0.1"]: may not change once set'],
        ),
        (
            {"clusterIP": "10.0.0.1"},
            {"ipFamilies": ["IPv6"]},
            [
                'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set',
                'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
            ],
        ),
        ({"externalIPs": ["192.0.2.1"]}, {"externalIPs": ["192.0.2.1", "192.0.2.2"]}, []),
    ],
)
def test_addresses_last(before, after, expected):
    old = _service(**before)
    new = copy_of(old)
    new["spec"].update(after)
    assert complaints(KIND, new, old) == expected


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ({"ip": "203.0.113.1", "ipMode": "VIP"}, []),
        ({"hostname": "a.example.com"}, []),
        (
            {"ip": "x"},
            'status.loadBalancer.ingress[0].ip: Invalid value: "x": '
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
        (
            {"hostname": "a.example.com", "ipMode": "VIP"},
            "status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set",
        ),
        (
            {"ip": "203.0.113.1", "ipMode": "Other"},
            'status.loadBalancer.ingress[0].ipMode: Unsupported value: "Other": supported values: "Proxy", "VIP"',
        ),
        (
            {"hostname": "203.0.113.1"},
            'status.loadBalancer.ingress[0].hostname: Invalid value: "203.0.113.1": '
            "must be a DNS name, not an IP address",
        ),
    ],
)
def test_what_a_load_balancer_says_of_itself(ingress, expected):
    old = _service(type="LoadBalancer")
    new = {**old, "status": {"loadBalancer": {"ingress": [ingress]}}}
    assert complaints(KIND, new, old) == ([expected] if expected else [])


def test_only_load_balancers_have_an_ingress():
    old = _service()
    new = {**old, "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}}
    assert complaints(KIND, new, old) == [
        'status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "LoadBalancer"'
    ]
