"""Training: the only room that knows torch, and always a process of its own."""
