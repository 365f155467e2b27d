"""Tests of what touches the world, one folder for each."""
