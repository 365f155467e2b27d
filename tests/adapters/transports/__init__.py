"""The conformance suite of the transports."""
