"""The documents a client learns the API from: discovery and OpenAPI, both derived from the kinds and the schema.

Nothing is written by hand for a kind: a custom resource appears here as soon as it is served.
"""
