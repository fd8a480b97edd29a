"""The simulation: a whole cluster in one process, with a seed that decides everything.

The production code of two apiservers (core and bus door), two relays, two schedulers, two controller managers and their
leader elections runs over a simulated event loop, a store and a bus in memory, and of a kubelet a node: its pods, their
workers and machine (`node`). What really runs on a machine is kept outside of them (`machines`), so that a kubelet that
crashes has to adopt it.

    chronicle    what happened, as a log; the promises that were broken
    cluster      store, bus, machines, and the services as processes that can be killed and started
    machines     the truth of what runs
    parts        a Podman, its processes, sandboxes and probes, made up
    node         the kubelet: the real one's pods over those parts
    users        people with kubectl: deployments, scaling, rollbacks, deletions, cordons
    chaos        crashes, cut connections, dead machines, a store that is away, forgotten journals
    watcher      promises that hold at every moment, checked on every change of the store
    rest         promises that hold when it is quiet
    story        one seed from its beginning to its end

A story has three parts: a cluster comes up; users and chaos do as they like for two or three minutes; chaos ends, users
repair what only people can (uncordon), and the cluster comes to rest. During all of it, messages are lost, repeated
and put out of order, requests and replies get lost, and the store refuses or does not say what it has done.

`docs/simulation.md` says how to run it, read it and run a seed again.
"""
