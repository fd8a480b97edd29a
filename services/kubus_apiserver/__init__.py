"""The front door: the Kubernetes API over HTTPS and over the bus."""
