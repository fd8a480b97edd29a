"""Controllers: pure reconcilers and their wiring."""
