"""Defaults that several kinds share: what Kubernetes sets where a client said nothing.

All functions change the object they are given and may be applied twice.
"""
