"""Which node each waiting pod goes to."""
