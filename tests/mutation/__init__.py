"""Mutation tests: mutants of the core, each with a small mistake, which the tests of the core must notice."""
