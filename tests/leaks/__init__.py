"""Secrets planted wherever a venue can put one, and a search for any piece of them in all that leaves the library."""
