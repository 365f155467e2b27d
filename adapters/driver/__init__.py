"""The loop that runs a connection on anyio: it hands inputs to the core and does what the core says."""
