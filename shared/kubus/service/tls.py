"""TLS as a client: the cluster's authority and nobody else, and one's own certificate."""

from __future__ import annotations

import ssl
from pathlib import Path


def client_tls(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """A context that trusts the given authority only (the system's where there is none given).

    Raises:
        OSError: a file cannot be read.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert_file is not None:
        context.load_cert_chain(cert_file, key_file)
    return context
