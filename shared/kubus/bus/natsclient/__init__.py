"""A client of NATS, as small as the bus needs it, so that a message costs little in Python (decision 0008).

From the wire inwards:

- `protocol`: the text protocol: bytes in, messages and words of the server out; commands as bytes. Pure.
- `sealing`: TLS between a connection and its socket.
- `connection`: one connection: its greeting, its subscriptions' numbers, PING and PONG, its end.

What outlives a connection (reconnecting, requests, mailboxes) is `kubus.bus.nats`. JetStream needs nothing more: it is
asked by requests, in JSON. Left out, because nothing asks for it: passwords, keys and tokens (a certificate is the
user), a server's advice about other servers, compression. Source: NATS' client protocol,
https://docs.nats.io/reference/reference-protocols/nats-protocol.
"""
