"""Tests of the simulated exchange as it is offered to users' tests."""
