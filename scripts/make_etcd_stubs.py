"""Make the etcd stubs (`etcd_rpc_pb2.py` and its types) of `shared/kubus/store/etcd_rpc.proto`.

Run it after an edit of the .proto: `python scripts/make_etcd_stubs.py`. The stubs are committed, so that nobody else
needs grpcio-tools. Only messages are generated; the few methods are written by hand in `kubus.store.etcd_rpc`.
"""

from __future__ import annotations

from pathlib import Path

from grpc_tools import protoc

SOURCE = Path(__file__).parent.parent / "shared" / "kubus" / "store"


def main() -> int:
    """Write the stubs beside the .proto; 0 if protoc liked it."""
    arguments = ["protoc", f"-I{SOURCE}", f"--python_out={SOURCE}", f"--pyi_out={SOURCE}"]
    return int(protoc.main([*arguments, str(SOURCE / "etcd_rpc.proto")]))


if __name__ == "__main__":
    raise SystemExit(main())
