"""Reflector, cache, work queue, controller, executor and leases."""
