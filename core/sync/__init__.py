"""The unproven part of the stream and its proof: gaps, held frames, reads. Uses `account` and `books`."""
