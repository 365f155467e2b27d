"""What is not proven, and what proves it: gaps, held frames, reads of the account. Uses `account` and `books`."""
