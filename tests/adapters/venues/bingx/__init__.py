"""BingX: its frames, its answers, its limits."""
