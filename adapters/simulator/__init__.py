"""A simulated exchange: a pure model, and a server that speaks a venue's wire over it on loopback."""
