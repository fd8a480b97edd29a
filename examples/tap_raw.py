"""A tap in the plain NATS protocol, with Python's standard library alone: so small is it in any language.

python examples/tap_raw.py [HOME] [SUBJECT]

What comes are MSG lines, `MSG <subject> <subscription> [reply] <bytes>` (HMSG where there are headers), each with a
MessagePack array behind it: [1, change, revision, previous, note, object].
"""

import json
import socket
import ssl
import sys
from pathlib import Path

home = sys.argv[1] if len(sys.argv) > 1 else "/var/lib/kubus"
subject = sys.argv[2] if len(sys.argv) > 2 else "kubus.ev.>"
port = json.loads(Path(home, "cluster.json").read_text())["ports"]["nats"]
tls = ssl.create_default_context(cafile=f"{home}/pki/bus-ca.crt")
tls.load_cert_chain(f"{home}/pki/tap.crt", f"{home}/pki/tap.key")  # it may hear events, and do nothing else

plain = socket.create_connection(("127.0.0.1", port))
plain.recv(4096)  # INFO {…}: the server speaks first, and asks for TLS
stream = tls.wrap_socket(plain, server_hostname="127.0.0.1").makefile("rwb", buffering=0)
stream.write(b'CONNECT {"verbose": false, "headers": true, "protocol": 1, "lang": "any", "version": "1"}\r\n')
stream.write(f"SUB {subject} 1\r\nPING\r\n".encode())

while line := stream.readline():
    verb, *words = line.decode().split()
    if verb == "PING":
        stream.write(b"PONG\r\n")
    elif verb in ("MSG", "HMSG"):
        left = int(words[-1]) + 2
        while left:
            left -= len(stream.read(left) or b"")
        print(words[0], words[-1], "bytes", flush=True)
    elif verb == "-ERR":
        raise SystemExit(line.decode())
