"""Mutants of the core, each a small mistake, and whether the tests of the core notice it."""
