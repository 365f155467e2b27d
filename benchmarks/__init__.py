"""Measured claims: `python -m benchmarks` runs them all, prints a table, and writes it as JSON and SVG."""
