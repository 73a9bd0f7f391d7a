"""Benchmarks: the same work, ours and the least that a database costs, in one run."""
