"""gRPC as etcd speaks it, over HTTP/2: a client small enough to be fast in Python (decision 0007).

From the wire inwards, each part a plain value or machine until asyncio comes in at the last two:

- `frames`: bytes in, HTTP/2 frames out, and back.
- `headers`: header blocks (HPACK) without a dynamic table: requests are encoded once, answers looked up.
- `messages`: gRPC's messages out of the data of a stream.
- `sending`: streams, and what may be sent on them at the moment.
- `connection`: the machine of one connection: streams, windows, deadlines. Calls and bytes in, events and bytes out.
- `transport`: the machine on a socket. Everything that a turn of the loop wants sent goes out in one write.
- `channel`: the cluster: endpoints, TLS, connections that come and go.

Nothing here knows etcd. What a client of gRPC could do besides (compression, proxies, load balancing, interceptors) is
left out, because nothing asks for it. Sources: RFC 9113, RFC 7541, and gRPC's PROTOCOL-HTTP2.md.
"""
