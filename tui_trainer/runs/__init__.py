"""A run on disk: its directory, events, commands, folded state, and how to start its worker."""
