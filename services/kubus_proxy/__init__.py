"""Services as nftables rules."""
