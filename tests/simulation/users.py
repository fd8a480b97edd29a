"""Users: people with kubectl, some of them at once, who do what people do and sometimes get no answer.

Each acknowledged write is noted (`Watcher.acknowledged`) and now and then read back at once, by another apiserver if
it so happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from tests.simulation.cluster import Cluster
from tests.simulation.watcher import USER, Watcher

from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICASETS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object, controller_of, labels_of, name_of, namespace_of, path_of, revision_of, uid_of
from kubus.testing.builders import config_map, deployment

PAUSE_SECONDS_MEAN = 3.0
PEOPLE = 2
SPACES = ("default", "default", "team-a", "team-b")
NAMES = ("web", "api", "db", "cache")
REPLICAS_MAX = 6
IMAGES = ("app:1", "app:2", "app:3")


class Users:
    """Acts until cancelled; `repair` leaves the cluster in a state that can come to rest."""

    def __init__(self, cluster: Cluster, watcher: Watcher) -> None:
        self._cluster = cluster
        self._watcher = watcher
        self._random = cluster.random("users")
        self._client = BusClient(cluster.connect("users").bus, USER, manager="kubectl", patience_seconds=5.0)

    async def run(self) -> None:
        """Several people at once."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(PEOPLE):
                tasks.create_task(self._act(self._random))

    async def repair(self) -> None:
        """What only people can put right: cordons."""
        client = BusClient(self._cluster.connect("repair").bus, USER, manager="kubectl")
        for node in (await client.list(NODES)).items:
            if path_of(node, "spec", "unschedulable"):
                await client.patch(NODES, "", name_of(node), {"spec": {"unschedulable": None}})

    async def _act(self, random: Random) -> None:
        habits: list[tuple[Callable[[], Awaitable[str]], int]] = [
            (self._deploy, 6),
            (self._scale, 5),
            (self._roll_out, 5),
            (self._roll_back, 2),
            (self._delete_deployment, 2),
            (self._expose, 3),
            (self._delete_service, 1),
            (self._make_namespace, 1),
            (self._delete_namespace, 1),
            (self._delete_pod, 4),
            (self._evict_pod, 2),
            (self._cordon, 1),
            (self._uncordon, 2),
            (self._remove_node, 1),
            (self._configure, 2),
        ]
        acts, weights = zip(*habits, strict=True)
        while True:
            await asyncio.sleep(random.expovariate(1 / PAUSE_SECONDS_MEAN))
            act = random.choices(acts, weights)[0]
            name = act.__name__.lstrip("_").replace("_", " ")
            try:
                done = await act()
            except StatusError as error:
                done = f"{error.code} {error.message}"
            self._cluster.chronicle.tell("user", f"{name}: {done}")

    async def _deploy(self) -> str:
        random = self._random
        made = deployment(random.choice(NAMES), random.choice(SPACES), replicas=random.randint(0, REPLICAS_MAX))
        spec = made["spec"]
        container = spec["template"]["spec"]["containers"][0]
        container["image"] = random.choice(IMAGES)
        container["resources"] = {"requests": {"cpu": random.choice(("50m", "100m", "250m"))}}
        spec["template"]["spec"]["terminationGracePeriodSeconds"] = random.choice((0, 1, 30))
        if random.random() < 0.2:
            spec["strategy"] = {"type": "Recreate"}
        elif random.random() < 0.5:
            surge = random.choice((0, 1, "50%"))
            spec["strategy"] = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": 0 if surge else 1}}
        return await self._create(DEPLOYMENTS, made)

    async def _scale(self) -> str:
        return await self._patch_some_deployment({"spec": {"replicas": self._random.randint(0, REPLICAS_MAX)}})

    async def _roll_out(self) -> str:
        image = self._random.choice(IMAGES)
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}
        return await self._patch_some_deployment(patch, "strategic")

    async def _roll_back(self) -> str:
        """As `kubectl rollout undo` does: the template of an older ReplicaSet."""
        chosen = await self._some(DEPLOYMENTS)
        if chosen is None:
            return "nothing there"
        listed = (await self._client.list(REPLICASETS, namespace_of(chosen))).items
        mine = [each for each in listed if (controller_of(each) or {}).get("uid") == uid_of(chosen)]
        if not mine:
            return "no history"
        template = self._random.choice(mine)["spec"]["template"]
        labels = {key: value for key, value in labels_of(template).items() if key != "pod-template-hash"}
        template = {**template, "metadata": {**template["metadata"], "labels": labels}}
        return await self._patch(
            DEPLOYMENTS, chosen, [{"op": "replace", "path": "/spec/template", "value": template}], "json"
        )

    async def _delete_deployment(self) -> str:
        policy = self._random.choice(("Background", "Background", "Foreground", "Orphan"))
        return await self._delete(DEPLOYMENTS, await self._some(DEPLOYMENTS), {"propagationPolicy": policy})

    async def _expose(self) -> str:
        name = self._random.choice(NAMES)
        meta = {"name": name, "namespace": self._random.choice(SPACES)}
        spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
        return await self._create(SERVICES, {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})

    async def _delete_service(self) -> str:
        chosen = await self._some(SERVICES)
        return await self._delete(SERVICES, None if chosen and name_of(chosen) == "kubernetes" else chosen)

    async def _make_namespace(self) -> str:
        name = self._random.choice(SPACES[2:])
        return await self._create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    async def _delete_namespace(self) -> str:
        spaces = [each for each in (await self._client.list(NAMESPACES)).items if name_of(each) in SPACES[2:]]
        return await self._delete(NAMESPACES, self._random.choice(spaces) if spaces else None)

    async def _delete_pod(self) -> str:
        grace = self._random.choice((None, None, 0, 2))
        return await self._delete(PODS, await self._some(PODS), {} if grace is None else {"gracePeriodSeconds": grace})

    async def _evict_pod(self) -> str:
        pod = await self._some(PODS)
        if pod is None:
            return "nothing there"
        meta = {"name": name_of(pod), "namespace": namespace_of(pod)}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
        await self._client.create(PODS, eviction, subresource="eviction", name=name_of(pod))
        return f"{namespace_of(pod)}/{name_of(pod)}"

    async def _cordon(self) -> str:
        return await self._patch(NODES, await self._some(NODES), {"spec": {"unschedulable": True}})

    async def _uncordon(self) -> str:
        return await self._patch(NODES, await self._some(NODES), {"spec": {"unschedulable": None}})

    async def _remove_node(self) -> str:
        """Delete a node whose machine is off, as an operator does."""
        off = [machine.name for machine in self._cluster.machines.values() if not machine.powered]
        return await self._delete(NODES, await self._client.get(NODES, "", off[0]) if off else None)

    async def _configure(self) -> str:
        name, data = self._random.choice(NAMES), {"value": str(self._random.random())}
        there = await self._some(CONFIGMAPS)
        if there is not None and self._random.random() < 0.5:
            return await self._patch(CONFIGMAPS, there, {"data": data})
        return await self._create(CONFIGMAPS, config_map(name, self._random.choice(SPACES), data))

    async def _patch_some_deployment(self, patch: Any, patch_type: str = "merge") -> str:
        return await self._patch(DEPLOYMENTS, await self._some(DEPLOYMENTS), patch, patch_type)

    async def _some(self, kind: Kind) -> Object | None:
        found = (await self._client.list(kind)).items
        return self._random.choice(found) if found else None

    async def _create(self, kind: Kind, obj: Object) -> str:
        made = await self._client.create(kind, obj)
        await self._acknowledged(kind, made)
        return f"{namespace_of(made)}/{name_of(made)}"

    async def _patch(self, kind: Kind, chosen: Object | None, patch: Any, patch_type: str = "merge") -> str:
        if chosen is None:
            return "nothing there"
        where = (namespace_of(chosen), name_of(chosen))
        await self._acknowledged(kind, await self._client.patch(kind, *where, patch, patch_type=patch_type))
        return f"{'/'.join(where)} {patch}"

    async def _delete(self, kind: Kind, chosen: Object | None, options: Object | None = None) -> str:
        if chosen is None:
            return "nothing there"
        where = (namespace_of(chosen), name_of(chosen))
        await self._client.delete(kind, *where, options=options)
        return f"{'/'.join(where)} {options or ''}"

    async def _acknowledged(self, kind: Kind, written: Object) -> None:
        """A write was acknowledged: it has to be readable from now on."""
        self._watcher.acknowledged(kind, written)
        if self._random.random() < 0.5:
            return
        try:
            revision = revision_of(await self._client.get(kind, namespace_of(written), name_of(written)))
        except StatusError as error:
            if error.code != 404:
                return
            revision = 0
        self._watcher.read_back(kind, written, revision)
