"""How etcd is started."""

from kubus_cli.etcd_server import command


def test_etcd_is_private_authenticated_and_safe(cluster):
    words = command("/usr/bin/etcd", cluster)
    assert words[0] == "/usr/bin/etcd"
    assert "--client-cert-auth=true" in words and "--peer-client-cert-auth=true" in words
    assert f"--trusted-ca-file={cluster.pki_dir}/etcd-ca.crt" in words
    assert f"--peer-trusted-ca-file={cluster.pki_dir}/etcd-ca.crt" in words and "--peer-cert-allowed-cn=etcd" in words
    assert "--enable-grpc-gateway=false" in words
    assert "--listen-client-urls=https://127.0.0.1:1001" in words
    assert "--auto-compaction-retention=1h" in words
    assert not any("unsafe" in word or "0.0.0.0" in word for word in words)
