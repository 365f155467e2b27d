"""Programs that embed the core in a loop of their own, and the whole client with it."""
