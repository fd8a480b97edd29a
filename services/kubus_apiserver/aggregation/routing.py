"""Which requests go to an extension apiserver: those of its group version, discovery of it included."""

from __future__ import annotations

from kubus.model.objects import Object
from kubus_apiserver.aggregation.availability import is_available
from kubus_apiserver.aggregation.extensions import Extension, FrontProxy
from kubus_apiserver.calls import User
from kubus_apiserver.documents.foreign import Foreign
from kubus_apiserver.forwarding.forwards import Forward


class Unavailable(Exception):
    """There is an extension apiserver, but it cannot be reached; says so in kube-aggregator's words."""


class Routing:
    """The extension apiservers by the paths that lead to them."""

    def __init__(self, front_proxy: FrontProxy | None = None) -> None:
        self.front_proxy = front_proxy
        self.extensions: dict[str, Extension] = {}
        """By name of the APIService."""
        self._by_path: dict[str, Extension] = {}

    def put(self, name: str, apiservice: Object | None) -> bool:
        """Take an APIService as it is now; whether an extension apiserver has to be asked anew."""
        extension = self.extensions.get(name)
        changed = False
        if apiservice is None or not apiservice["spec"].get("service"):
            self.extensions.pop(name, None)
        elif extension is None:
            self.extensions[name], changed = Extension(apiservice), True
        else:
            changed = extension.apiservice["spec"] != apiservice["spec"]
            extension.apiservice = apiservice
        self._by_path = {each.path: each for each in self.extensions.values()}
        return changed

    def foreigners(self) -> list[Foreign]:
        """What the documents tell of them."""
        return [each.foreign for each in self.extensions.values()]

    def leads_away(self, path: str) -> bool:
        """Whether somebody else answers at a path."""
        return bool(self._by_path) and self._found(path) is not None

    def forward(self, user: User, path: str) -> Forward | None:
        """Where a request for a path goes; None if it is answered here.

        Raises:
            Unavailable
        """
        extension = self._found(path) if self._by_path else None
        if extension is None:
            return None
        if not is_available(extension.apiservice):
            raise Unavailable("service unavailable")
        try:
            return extension.forward(user, self.front_proxy)
        except (ValueError, OSError) as error:
            raise Unavailable(str(error)) from None

    def _found(self, path: str) -> Extension | None:
        parts = path.split("/", 4)
        if len(parts) < 3 or parts[0]:
            return None
        length = 4 if parts[1] == "apis" else 3
        return self._by_path.get("/".join(parts[1:length]))
