"""The reconcilers: pure functions, one module a controller."""
