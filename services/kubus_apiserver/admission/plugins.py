"""Which plug-ins there are, in the order in which kube-apiserver runs them."""

from __future__ import annotations

from kubus_apiserver.admission import Chain
from kubus_apiserver.admission.cluster import (
    claim_growth,
    default_ingress_class,
    default_storage_class,
    in_use_protection,
    namespace_protection,
    not_ready_taint,
)
from kubus_apiserver.admission.limit_ranges import LimitRanges
from kubus_apiserver.admission.pod_security import pod_security
from kubus_apiserver.admission.pods import one_default_priority, priority, service_account, tolerations
from kubus_apiserver.admission.runtime_classes import overhead_of_its_class, runtime_class
from kubus_apiserver.admission.topology import topology_labels


def built_in() -> Chain:
    """The plug-ins that need nothing but the cache."""
    limits = LimitRanges()
    return Chain(
        mutators=(
            limits.mutate,
            service_account,
            not_ready_taint,
            priority,
            tolerations,
            default_storage_class,
            in_use_protection,
            runtime_class,
            default_ingress_class,
            topology_labels,
        ),
        validators=(
            namespace_protection,
            limits.validate,
            pod_security,
            one_default_priority,
            claim_growth,
            overhead_of_its_class,
        ),
    )
