"""Chaos on real sockets: a proxy with faults between a client's and an exchange's process, and storms of faults."""
