"""The life of a process: settings, logging, health, metrics and signals."""
