"""The whole life of a stream in one deterministic world: an exchange, faults between, a process that may die."""
