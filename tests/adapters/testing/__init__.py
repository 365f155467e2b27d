"""The simulated exchange as other people's tests have it."""
