"""Who asks, and what they may: credentials, rights, and the record of what was done with them.

Authentication turns a certificate or a token into a `User` (`authenticator`), impersonation into another one,
authorization (`kubus_apiserver.access.authorization`) decides by roles and, for kubelets, by what their pods need
(`node_rights`). Plug-ins here guard what rights alone cannot: that nobody grants more than they have (`escalation`),
that a kubelet stays on its node (`node_restriction`), that a signature is approved by somebody who may.
"""
