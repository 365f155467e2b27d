"""Real sockets under chaos: a fault proxy between a client's process and the exchange's, and a storm that drives it."""
