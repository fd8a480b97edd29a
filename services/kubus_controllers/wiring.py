"""Which controllers there are."""

from __future__ import annotations

from collections.abc import Sequence

from kubus.machinery.plans import Controller
from kubus.model.kinds import Kind
from kubus_controllers.reconcilers import (
    account_tokens,
    aggregated_roles,
    certificate_approvals,
    certificates,
    cron_jobs,
    daemon_sets,
    deployments,
    disruptions,
    endpoints,
    endpointslices,
    evictions,
    finished_jobs,
    flow_schemas,
    garbage,
    jobs,
    mirrored_slices,
    namespaces,
    nodes,
    old_certificate_requests,
    pod_ranges,
    policy_types,
    quotas,
    replicasets,
    service_accounts,
    service_addresses,
    stateful_sets,
    strays,
    volume_protection,
)
from kubus_controllers.settings import ControllersSettings


def all_controllers(
    kinds: Sequence[Kind], settings: ControllersSettings, ca: str, ca_key: bytes = b""
) -> tuple[Controller, ...]:
    """Every controller, for these kinds.

    `ca` is the PEM text that pods verify the API server with; with its key, certificates are signed.
    """
    stored = [kind for kind in kinds if not kind.stored_as and "watch" in kind.verbs]
    return (
        deployments.CONTROLLER,
        replicasets.CONTROLLER,
        replicasets.REPLICATION,
        jobs.CONTROLLER,
        cron_jobs.CONTROLLER,
        finished_jobs.CONTROLLER,
        daemon_sets.CONTROLLER,
        stateful_sets.CONTROLLER,
        endpointslices.CONTROLLER,
        endpoints.CONTROLLER,
        mirrored_slices.CONTROLLER,
        namespaces.controller(stored),
        garbage.controller(stored),
        strays.controller(stored),
        nodes.controller(settings.node_monitor_grace_seconds),
        evictions.CONTROLLER,
        disruptions.controller(stored),
        pod_ranges.controller(settings.pod_cidr, settings.node_cidr_mask_bits),
        service_accounts.controller(ca),
        account_tokens.CONTROLLER,
        service_addresses.ALLOTTED_CONTROLLER,
        service_addresses.RELEASED_CONTROLLER,
        quotas.controller(stored),
        volume_protection.CLAIM_CONTROLLER,
        volume_protection.VOLUME_CONTROLLER,
        aggregated_roles.CONTROLLER,
        flow_schemas.CONTROLLER,
        policy_types.controller(kinds),
        certificate_approvals.CONTROLLER,
        old_certificate_requests.CONTROLLER,
        certificates.controller((ca.encode(), ca_key) if ca_key else None),
    )
