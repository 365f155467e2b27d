"""What a connection was told and did, in a file, and the same done again."""
