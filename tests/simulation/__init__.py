"""The whole life of a stream in one deterministic world: an exchange, a faulty world between, a process that may die."""
