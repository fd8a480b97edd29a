"""Texts that no address field may take: commands for nft, ip and a shell, and things that nearly are addresses.

A field that reaches the kernel is fed with them at the API, which refuses, and past it, where no command may show them.
"""

from __future__ import annotations

PAYLOAD = "10.0.0.1 } ; add table ip pwned ; #"
"""Ends an nft element and begins a command of its own."""
HOSTILE = (
    PAYLOAD,
    "10.0.0.1\nadd table ip pwned",
    "10.0.0.1\n",
    " 10.0.0.1",
    "10.0.0.1 dev lo",
    "10.0.0.1;reboot",
    "$(reboot)",
    "`reboot`",
    "10.0.0.1\x00",
    "-batch",
    "--help",
    "default",
    "lo",
    "@services",
    "10.0.0.0-10.255.255.255",
    "10.0.0.1,10.0.0.2",
    "10.0.0.256",
    "010.0.0.1",
    "10.1",
    "167772161",
    "0x0a000001",
    "１０.0.0.1",
    "1٠.0.0.1",
    "fe80::1%lo",
    "fe80::1%} ; flush ruleset ; #",
    "10.0.0.0/8",
    "10.0.0.1/255.0.0.0",
    "::/0 }",
    "a" * 5000,
)
"""None of them is one IPv4 or IPv6 address."""
HOSTILE_RANGES = (*(each for each in HOSTILE if each != "10.0.0.0/8"), "10.0.0.1", "10.0.0.0/33", "10.0.0.0/08", "/8")
"""None of them is a range of addresses."""
