"""The venues: everything about a venue is in its folder."""
