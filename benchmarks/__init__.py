"""Ours against the peers, in the same run on the same machine: `python -m benchmarks [NAME ...]`."""
