"""The doors: how a request comes in and how its answer leaves, over HTTPS and over the bus.

`http` and `rest` serve kubectl and its friends, `busdoor` the cluster's own services; both turn what they were asked
into the values of `kubus_apiserver.calls` and hand them to `kubus_apiserver.actions`, so that one authorizer, one
admission and one audit decide for both. Here too: what is encoded for a client and how (`answers`, `encodings`), the
limits that keep a flood from starving leases (`fairness`, `inflight`), and streams to nodes (`streams`).
"""
