"""Everything that happens in a cluster, in ten lines. Needs nats-py and msgpack, and read access to the cluster's home.

python examples/tap.py [HOME] [SUBJECT]
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

import msgpack
import nats


def port_of(home: str) -> int:
    """Where nats-server listens."""
    return int(json.loads(Path(home, "cluster.json").read_text())["ports"]["nats"])


async def main(home: str = "/var/lib/kubus", subject: str = "kubus.ev.>") -> None:
    """Print one line an event."""
    tls = ssl.create_default_context(cafile=f"{home}/pki/ca.crt")
    tls.load_cert_chain(f"{home}/pki/admin.crt", f"{home}/pki/admin.key")
    bus = await nats.connect(f"tls://127.0.0.1:{port_of(home)}", tls=tls)
    async for message in (await bus.subscribe(subject)).messages:
        _, change, revision, _, note, _ = msgpack.unpackb(message.data)
        print(revision, change, message.subject, "by", note["by"], "because of", note.get("cause"), flush=True)


asyncio.run(main(*sys.argv[1:]))
