"""OpenID Connect discovery: with which keys ServiceAccount tokens can be verified by anybody else.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
"""

from __future__ import annotations

from kubus.model.codec import to_json
from kubus.model.errors import path_not_found
from kubus_apiserver.access.tokens import Keys
from kubus_apiserver.doors.answers import Answer

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/openid/v1/jwks"


def configuration(keys: Keys, issuer: str, server: str) -> Answer:
    """The provider's metadata; `server` is where the keys are: `https://10.0.0.1:6443`.

    Raises:
        StatusError: 404, there are no keys.
    """
    if not keys.can_sign:
        raise path_not_found()
    body = {
        "issuer": issuer,
        "jwks_uri": f"{server}{KEYS_PATH}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": keys.algorithms(),
    }
    return Answer(200, to_json(body))


def key_set(keys: Keys) -> Answer:
    """The public keys.

    Raises:
        StatusError: 404, there are none.
    """
    if not keys.can_sign:
        raise path_not_found()
    return Answer(200, to_json(keys.jwks()), "application/jwk-set+json")
