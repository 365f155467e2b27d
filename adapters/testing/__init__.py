"""The simulated exchange for other people's tests: a fixture of pytest, and a server in a thread for everybody else."""
