"""The simulated exchange for users' tests: a fixture of pytest, and a server in a thread for other test frameworks."""
