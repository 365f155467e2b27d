"""Programs that run the core, or the whole client, in a loop of their own."""
