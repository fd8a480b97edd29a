"""kubus: what every service shares."""
