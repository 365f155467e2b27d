"""A simulated exchange: a pure model, and a server that speaks BingX's wire over it on loopback."""
