"""Speed, always beside a peer in one run; nothing here is a test."""
