"""resolv.conf, hosts and hostname."""

from __future__ import annotations

import pytest

from kubus_kubelet import pod_files

NODE = "search home.example\nnameserver 9.9.9.9\noptions timeout:1\n"


def pod(**spec):
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


CLUSTER = (
    "search shop.svc.cluster.local svc.cluster.local cluster.local home.example\n"
    "nameserver 10.96.0.10\noptions ndots:5\n"
)


@pytest.mark.parametrize(
    ("spec", "dns", "expected"),
    [
        ({}, "10.96.0.10", CLUSTER),
        ({}, "", NODE),
        ({"dnsPolicy": "Default"}, "10.96.0.10", NODE),
        ({"hostNetwork": True}, "10.96.0.10", NODE),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, "10.96.0.10", CLUSTER),
        (
            {
                "dnsPolicy": "None",
                "dnsConfig": {
                    "nameservers": ["1.1.1.1"],
                    "searches": ["a.b"],
                    "options": [{"name": "ndots", "value": "2"}],
                },
            },
            "10.96.0.10",
            "search a.b\nnameserver 1.1.1.1\noptions ndots:2\n",
        ),
        (
            {"dnsConfig": {"options": [{"name": "ndots", "value": "1"}, {"name": "edns0"}]}},
            "10.96.0.10",
            CLUSTER.replace("ndots:5", "ndots:1 edns0"),
        ),
    ],
)
def test_resolvers(spec, dns, expected):
    assert pod_files.resolver_text(pod(**spec), NODE, dns, "cluster.local") == expected


def test_hosts_name_the_pod_and_its_aliases():
    spec = {"subdomain": "sub", "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a", "b"]}]}
    text = pod_files.hosts_text(pod(**spec), "10.0.0.2", "web", "cluster.local", "")
    assert "10.0.0.2\tweb.sub.shop.svc.cluster.local\tweb\n" in text
    assert text.endswith("1.2.3.4\ta\tb\n")
    shared = pod_files.hosts_text(pod(hostNetwork=True), "10.0.0.2", "n1", "cluster.local", "127.0.0.1 node\n")
    assert "127.0.0.1 node\n" in shared
    assert "10.0.0.2" not in shared


def test_the_host_name_is_the_pods_own():
    assert pod_files.hostname(pod(), "n1") == "web"
    assert pod_files.hostname(pod(hostname="h"), "n1") == "h"
    assert pod_files.hostname(pod(hostNetwork=True), "n1") == "n1"


def test_files_are_written_in_place(tmp_path):
    pod_files.write(tmp_path, {"hosts": "a"})
    inode = (tmp_path / "etc" / "hosts").stat().st_ino
    pod_files.write(tmp_path, {"hosts": "b"})
    assert (tmp_path / "etc" / "hosts").stat().st_ino == inode
    own = {"volumeMounts": [{"name": "v", "mountPath": "/etc/hosts"}]}
    assert [each.destination for each in pod_files.mounts(tmp_path, own)] == ["/etc/resolv.conf", "/etc/hostname"]
