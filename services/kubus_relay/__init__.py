"""etcd's watch, published on NATS in order; nothing else."""
