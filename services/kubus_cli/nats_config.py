"""nats-server's configuration: TLS, a user per certificate subject, and what each may say and hear.

The subject of an API request is the authenticated user, so the permissions written here are the cluster's
authentication on the bus: an identity publishes under its own `kubus.api.<identity>` and nobody else's, and hears
its own inbox only. A kubelet hears and says nothing of another node; scheduler and proxies hear of the kinds that
their roles let them read. The apiserver may publish to every inbox, so it looks where a reply is wanted before it
answers (`kubus_apiserver.doors.busdoor`): nats-server does not.

Users are matched by the certificate's whole subject (`verify_and_map`), and their certificates come from an authority
of the bus alone: an approved certificate request may bear any subject, and is nobody here.

A tap is in an account of its own, into which events come, and out of which only reads of the journal go. In one account
with the others it could not be kept from writing: whoever may ask JetStream anything chooses where its answer, or a
consumer's messages, are sent to, and nats-server does not check whether they might have published there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubus.bus.subjects import API_REQUESTS, EVENTS, collection_subject, escape, inbox_prefix
from kubus.model.codec import to_json_pretty
from kubus_cli import identities
from kubus_cli.identities import Identity

MAX_PAYLOAD_BYTES = 8 << 20
MAX_PENDING_BYTES = 256 << 20
JOURNAL_BYTES_MAX = 8 << 30
SCHEDULED = (
    "pods.core",
    "nodes.core",
    "namespaces.core",
    "services.core",
    "replicationcontrollers.core",
    "replicasets.apps",
    "statefulsets.apps",
    "poddisruptionbudgets.policy",
    "persistentvolumeclaims.core",
    "persistentvolumes.core",
    "storageclasses.storage.k8s.io",
    "csinodes.storage.k8s.io",
    "csidrivers.storage.k8s.io",
    "csistoragecapacities.storage.k8s.io",
    "resourceclaims.resource.k8s.io",
    "resourceslices.resource.k8s.io",
    "deviceclasses.resource.k8s.io",
)
"""What the scheduler may read, as its ClusterRole has it."""
PROXIED = ("services.core", "endpoints.core", "endpointslices.discovery.k8s.io", "nodes.core")
"""What a proxy may read."""
BEATS = "kubus.beat.>"
JOURNAL = "JOURNAL"
JOURNAL_READS = (
    "$JS.API.INFO",
    f"$JS.API.STREAM.INFO.{JOURNAL}",
    f"$JS.API.STREAM.MSG.GET.{JOURNAL}",
    f"$JS.API.DIRECT.GET.{JOURNAL}",
    f"$JS.API.DIRECT.GET.{JOURNAL}.>",
    f"$JS.API.CONSUMER.CREATE.{JOURNAL}",
    f"$JS.API.CONSUMER.CREATE.{JOURNAL}.>",
    f"$JS.API.CONSUMER.INFO.{JOURNAL}.*",
    f"$JS.API.CONSUMER.DELETE.{JOURNAL}.*",
    f"$JS.API.CONSUMER.MSG.NEXT.{JOURNAL}.*",
    f"$JS.ACK.{JOURNAL}.>",
    f"$JS.FC.{JOURNAL}.>",
)
TAP_READS = (
    "$JS.API.STREAM.NAMES",
    f"$JS.API.STREAM.INFO.{JOURNAL}",
    f"$JS.API.STREAM.MSG.GET.{JOURNAL}",
    f"$JS.API.DIRECT.GET.{JOURNAL}",
    f"$JS.API.DIRECT.GET.{JOURNAL}.>",
)
"""What a tap may ask of JetStream: nothing that names a subject to deliver to."""
ACCOUNT = "KUBUS"
TAPS = "TAPS"
JETSTREAM_DOMAIN = "kubus"
"""The name by which a tap's client has to ask for the journal: JetStream of its own account is off."""
JOURNAL_WRITES = (
    f"$JS.API.STREAM.CREATE.{JOURNAL}",
    f"$JS.API.STREAM.UPDATE.{JOURNAL}",
    f"$JS.API.STREAM.DELETE.{JOURNAL}",
    f"$JS.API.STREAM.PURGE.{JOURNAL}",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one identity may publish and subscribe to, besides its own API requests and inbox."""

    identity: Identity
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    replies: bool = False
    """Whether it may answer each request once, wherever its asker wants the reply. (The apiserver answers so many
    that it may publish to every inbox instead: the server need not remember each.)"""


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Where nats-server listens and keeps its things."""

    name: str
    host: str
    port: int
    store_dir: Path
    ca_file: Path
    cert_file: Path
    key_file: Path


def all_rights(nodes: Iterable[str]) -> list[Rights]:
    """Every identity's rights in a cluster of these nodes."""
    return [
        Rights(
            identities.APISERVER,
            publish=("_INBOX.>", "kubus.node.*.call", "kubus.node.*.session.*.up"),
            subscribe=(API_REQUESTS, "kubus.node.*.session.*.down", EVENTS, BEATS),
        ),
        Rights(
            identities.RELAY,
            publish=(EVENTS, "kubus.node.*.ev.>", BEATS, *JOURNAL_READS, *JOURNAL_WRITES),
        ),
        Rights(identities.SCHEDULER, subscribe=(*_events_of(SCHEDULED), BEATS)),
        Rights(identities.CONTROLLERS, subscribe=(EVENTS, BEATS)),
        Rights(identities.PROXY, subscribe=(*_events_of(PROXIED), BEATS)),
        Rights(identities.ADMIN_ON_BUS, publish=JOURNAL_READS, subscribe=("kubus.>",)),
        *(_kubelet(node) for node in nodes),
    ]


def _events_of(collections: Iterable[str]) -> tuple[str, ...]:
    return tuple(collection_subject(each) for each in collections)


def _kubelet(node: str) -> Rights:
    own = f"kubus.node.{escape(node)}"
    return Rights(
        identities.kubelet(node),
        publish=(f"{own}.session.*.down",),
        subscribe=(f"{own}.>", f"kubus.beat.node.{escape(node)}.>"),
        replies=True,
    )


def render(server: ServerFiles, rights: Sequence[Rights]) -> bytes:
    """nats-server's configuration file; JSON is a form of its language."""
    return to_json_pretty(
        {
            "listen": f"{server.host}:{server.port}",
            "server_name": server.name,
            "max_payload": MAX_PAYLOAD_BYTES,
            "max_pending": MAX_PENDING_BYTES,
            "write_deadline": "10s",
            "jetstream": {"store_dir": str(server.store_dir), "max_file_store": JOURNAL_BYTES_MAX},
            "tls": {
                "ca_file": str(server.ca_file),
                "cert_file": str(server.cert_file),
                "key_file": str(server.key_file),
                "verify_and_map": True,
                "timeout": 5,
            },
            "accounts": {
                ACCOUNT: {
                    "jetstream": "enabled",
                    "users": [_user(each) for each in rights],
                    "exports": [
                        {"stream": EVENTS, "accounts": [TAPS]},
                        *({"service": each, "response_type": "stream", "accounts": [TAPS]} for each in TAP_READS),
                    ],
                },
                TAPS: _taps(),
            },
        }
    )


def _user(rights: Rights) -> dict[str, Any]:
    user = rights.identity.user
    permissions: dict[str, Any] = {
        "publish": {"allow": [f"kubus.api.{escape(user)}.>", *rights.publish]},
        "subscribe": {"allow": [f"{inbox_prefix(user)}.>", *rights.subscribe]},
    }
    if rights.replies:
        permissions["allow_responses"] = {"max": 1, "expires": "5m"}
    return {"user": rights.identity.distinguished_name, "permissions": permissions}


def _taps() -> dict[str, Any]:
    reads = [(each, each.replace("$JS.API", f"$JS.{JETSTREAM_DOMAIN}.API")) for each in TAP_READS]
    return {
        "users": [
            {
                "user": identities.TAP.distinguished_name,
                "permissions": {
                    "publish": {"allow": [mine for _, mine in reads]},
                    "subscribe": {"allow": [EVENTS, "_INBOX.>"]},
                },
            }
        ],
        "imports": [
            {"stream": {"account": ACCOUNT, "subject": EVENTS}},
            *({"service": {"account": ACCOUNT, "subject": theirs}, "to": mine} for theirs, mine in reads),
        ],
    }
