"""The loop that runs a connection on anyio: it hands inputs to the core and carries out the core's actions."""
