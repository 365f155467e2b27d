"""Where the import paths of 0.1.0 that its read-me showed still lead; the venue itself is in `venues/bingx`."""
