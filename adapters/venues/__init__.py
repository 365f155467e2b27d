"""The venues: every word of a venue lives in its folder."""
