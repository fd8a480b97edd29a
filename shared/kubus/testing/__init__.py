"""Simulated clock, faulty bus and store, and builders for tests."""
