"""Secrets are planted at every place where a venue could put one, and all output is searched for pieces of them."""
