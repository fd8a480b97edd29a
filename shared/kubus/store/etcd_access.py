"""Access control of etcd: users, their roles, and turning it on.

etcd takes the user of a request from the common name of its client certificate (`--client-cert-auth`), so users have
no passwords and requests carry no tokens. `ensure_access` adds what is missing and may run at every start; what is
there already is only read, because each change makes etcd refuse the requests that are under way.

etcd 3.4 checks permissions on keys only: compaction, leases and alarms are open to each user that it knows. Therefore
its authority issues certificates to the apiserver, the relay and root, and to nothing else (decision 9).

https://etcd.io/docs/v3.4/op-guide/authentication/
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Literal, NamedTuple

from kubus.store import etcd_rpc_pb2 as pb
from kubus.store.etcd_rpc import NameNotFound, Rpc

ROOT = "root"
"""The user, and the role, that etcd demands before it turns access control on."""
FIRST_KEY, END_KEY = b"/", b"0"
"""Every key that begins with a slash."""
_TYPES = {"read": pb.Permission.READ, "readwrite": pb.Permission.READWRITE}


class Access(NamedTuple):
    """What a user may do with the keys of kubus."""

    user: str
    """A certificate's common name; the permission belongs to a role of the same name."""
    rights: Literal["read", "readwrite"]

    @property
    def permission(self) -> pb.Permission:
        """The permission as etcd stores it."""
        return pb.Permission(permType=_TYPES[self.rights], key=FIRST_KEY, range_end=END_KEY)


async def ensure_access(rpc: Rpc, wanted: Iterable[Access]) -> None:
    """Add the missing users, roles and permissions, and turn access control on.

    Raises:
        StoreError: etcd refuses, because access control is on and the client is not root.
        Unavailable: etcd does not answer.
    """
    await asyncio.gather(_ensure_user(rpc, ROOT, ROOT), *(_ensure(rpc, access) for access in wanted))
    await rpc.auth("AuthEnable", pb.AuthEnableRequest())


async def _ensure(rpc: Rpc, access: Access) -> None:
    try:
        answer = await rpc.auth("RoleGet", pb.AuthRoleGetRequest(role=access.user))
        permissions = list(pb.AuthRoleGetResponse.FromString(answer).perm)
    except NameNotFound:
        permissions = []
        await rpc.auth("RoleAdd", pb.AuthRoleAddRequest(name=access.user))
    if access.permission not in permissions:
        grant = pb.AuthRoleGrantPermissionRequest(name=access.user, perm=access.permission)
        await rpc.auth("RoleGrantPermission", grant)
    await _ensure_user(rpc, access.user, access.user)


async def _ensure_user(rpc: Rpc, user: str, role: str) -> None:
    try:
        answer = await rpc.auth("UserGet", pb.AuthUserGetRequest(name=user))
        roles = list(pb.AuthUserGetResponse.FromString(answer).roles)
    except NameNotFound:
        roles = []
        options = pb.UserAddOptions(no_password=True)
        await rpc.auth("UserAdd", pb.AuthUserAddRequest(name=user, options=options))
    if role not in roles:
        await rpc.auth("UserGrantRole", pb.AuthUserGrantRoleRequest(user=user, role=role))
