"""Everything that happens in a cluster, in ten lines. Needs nats-py and msgpack, and read access to the cluster's home.

python examples/tap.py [HOME] [SUBJECT]

It shows the tap's credential, which may hear events, read the journal, and do nothing else. Before the events that
come it shows the newest one that the journal holds.
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


def show(subject: str, data: bytes) -> None:
    """Print an event."""
    _, change, revision, _, note, _ = msgpack.unpackb(data)
    print(revision, change, subject, "by", note["by"], "because of", note.get("cause"), flush=True)


async def main(home: str = "/var/lib/kubus", subject: str = "kubus.ev.>") -> None:
    """Print one line an event."""
    tls = ssl.create_default_context(cafile=f"{home}/pki/bus-ca.crt")
    tls.load_cert_chain(f"{home}/pki/tap.crt", f"{home}/pki/tap.key")
    bus = await nats.connect(f"tls://127.0.0.1:{port_of(home)}", tls=tls)
    arriving = await bus.subscribe(subject)
    journal = bus.jetstream(domain="kubus")  # a tap has an account of its own: the journal is the cluster's
    last = await journal.get_last_msg(await journal.find_stream_name_by_subject("kubus.ev.>"), "kubus.ev.>")
    show(last.subject, last.data)
    async for message in arriving.messages:
        show(message.subject, message.data)


asyncio.run(main(*sys.argv[1:]))
