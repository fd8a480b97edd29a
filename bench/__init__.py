"""Benchmarks: what kubus promises, measured. `make bench`, or `python -m bench --help`."""
