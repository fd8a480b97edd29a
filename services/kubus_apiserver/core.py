"""The core: everything between the doors and the store, without a socket.

`Core` wires cache, reads, writes, watches and rights on a given store and clock. The HTTP door and the bus door use
it in the process; the simulation uses it on a store in memory and a simulated clock. `run` keeps the cache
filled and has to be running for anything to be answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import IPv4Network
from random import Random

from kubus.model.kinds import Kind, Registry
from kubus.model.policy_expressions import Expressions
from kubus.model.schema import Schemas, load_schemas
from kubus.model.times import Clock
from kubus.store import Store
from kubus_apiserver.access.account_mount import account_mount
from kubus_apiserver.access.authenticator import Authenticator
from kubus_apiserver.access.authorization import Authorizer
from kubus_apiserver.access.certificate_signing import Signing, stamp_requester
from kubus_apiserver.access.escalation import Escalation
from kubus_apiserver.access.legacy_tokens import AccountSecrets
from kubus_apiserver.access.mountable_secrets import mountable_secrets
from kubus_apiserver.access.node_graph import NodeGraph
from kubus_apiserver.access.node_restriction import node_restriction
from kubus_apiserver.access.node_rights import KubeletRights
from kubus_apiserver.access.token_requests import TokenRequests
from kubus_apiserver.access.tokens import NO_KEYS, Keys
from kubus_apiserver.admission import Chain
from kubus_apiserver.admission.gate import Gate
from kubus_apiserver.admission.mutations import Mutations
from kubus_apiserver.admission.plugins import built_in
from kubus_apiserver.admission.policies import Policies
from kubus_apiserver.admission.policy_bindings import deciding
from kubus_apiserver.admission.quotas import Quotas
from kubus_apiserver.admission.versions import Versions
from kubus_apiserver.admission.webhooks import Webhooks
from kubus_apiserver.aggregation.routing import Routing
from kubus_apiserver.conversions import Conversions
from kubus_apiserver.customresources import CustomResources
from kubus_apiserver.forwarding.clients import ClusterClients
from kubus_apiserver.forwarding.dialling import Dialler
from kubus_apiserver.forwarding.endpoints import Endpoints
from kubus_apiserver.reading.follower import Follower, Freshness
from kubus_apiserver.reading.ownwrites import OwnWrites
from kubus_apiserver.reading.reads import Reads
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.reading.watchstreams import Watches
from kubus_apiserver.webhookcalls import WebhookCalls
from kubus_apiserver.writing.allocations import Allocations
from kubus_apiserver.writing.evictions import BUDGETS, Evictions
from kubus_apiserver.writing.fieldmanagers import FieldManagers
from kubus_apiserver.writing.writes import Writes

SERVICE_CIDR = IPv4Network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)


@dataclass(frozen=True, slots=True)
class Core:
    """An apiserver without doors."""

    registry: Registry
    schemas: Schemas
    store: Store
    clock: Clock
    cache: WatchCache
    follower: Follower
    freshness: Freshness
    authenticator: Authenticator
    authorizer: Authorizer
    token_requests: TokenRequests
    fields: FieldManagers
    reads: Reads
    gate: Gate
    writes: Writes
    watches: Watches
    endpoints: Endpoints
    dialler: Dialler
    clients: ClusterClients
    routing: Routing
    webhook_calls: WebhookCalls
    custom_resources: CustomResources
    evictions: Evictions
    allocations: Allocations

    async def run(self) -> None:
        """Keep the cache filled, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.follower.run())
            tasks.create_task(self.freshness.run())
            tasks.create_task(self.custom_resources.run())

    def by_resource(self, resource: str) -> Kind | None:
        """The kind of `deployments.apps`, `pods.core` in the first version that is served."""
        plural, _, group = resource.partition(".")
        return self.registry.first("" if group == "core" else group, plural)

    async def loaded(self) -> None:
        """Wait until reads can be answered."""
        await self.follower.loaded.wait()


def build(
    store: Store,
    clock: Clock,
    random: Random,
    registry: Registry,
    *,
    chain: Chain | None = None,
    service_cidr: IPv4Network = SERVICE_CIDR,
    node_ports: range = NODE_PORTS,
    keys: Keys = NO_KEYS,
    authority: str = "",
) -> Core:
    """A core on a store; `authority` is the PEM text that clients verify this API with."""
    cache, schemas = WatchCache(), load_schemas()
    written = OwnWrites(store, cache)
    authenticator = Authenticator(keys, cache, clock)
    authorizer = Authorizer(cache, KubeletRights(NodeGraph(cache)))
    freshness = Freshness(store, cache)
    allocations = Allocations(written, cache, random, service_cidr=service_cidr, node_ports=node_ports)
    fields = FieldManagers(schemas, registry, clock)
    endpoints, dialler = Endpoints(cache, random), Dialler()
    clients = ClusterClients(endpoints, dialler)
    webhook_calls = WebhookCalls(clients)
    conversions = Conversions(webhook_calls, random)
    versions = Versions(registry, conversions, schemas)
    chain = _with_rights(chain or built_in(), authorizer, keys, authority)
    webhooks = Webhooks(cache, webhook_calls, random, versions, Expressions(deciding(authorizer)))
    mutations = Mutations(cache, registry, versions, authorizer, fields)
    policies = Policies(cache, registry, versions, authorizer)
    gate = Gate(cache, chain, webhooks, Quotas(written, cache, clock), mutations=mutations, policies=policies)
    writes = Writes(
        written,
        cache,
        freshness,
        gate=gate,
        allocations=allocations,
        fields=fields,
        conversions=conversions,
        clock=clock,
        random=random,
    )
    reads = Reads(store, cache, freshness, conversions, clock)
    watches = Watches(cache, freshness, conversions, clock=clock, random=random)
    budgets = next((kind for kind in registry if kind.collection == BUDGETS), None)
    return Core(
        registry=registry,
        schemas=schemas,
        store=store,
        clock=clock,
        cache=cache,
        follower=Follower(store, cache),
        freshness=freshness,
        authenticator=authenticator,
        authorizer=authorizer,
        token_requests=TokenRequests(reads, registry, authenticator, random),
        fields=fields,
        reads=reads,
        gate=gate,
        writes=writes,
        watches=watches,
        endpoints=endpoints,
        dialler=dialler,
        clients=clients,
        routing=Routing(),
        webhook_calls=webhook_calls,
        custom_resources=CustomResources(registry, cache, freshness, writes, watches, clock=clock),
        evictions=Evictions(cache, writes, budgets, clock),
        allocations=allocations,
    )


def _with_rights(chain: Chain, authorizer: Authorizer, keys: Keys, authority: str) -> Chain:
    """The chain with what has to know who may do what."""
    return chain._replace(
        mutators=(*chain.mutators, account_mount, stamp_requester, AccountSecrets(keys, authority)),
        validators=(
            *chain.validators,
            mountable_secrets,
            node_restriction,
            Escalation(authorizer),
            Signing(authorizer),
        ),
    )
