"""Pods on one node, run by Podman."""
