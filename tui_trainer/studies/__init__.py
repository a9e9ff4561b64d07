"""Studies: questions answered by several runs, and what they show beside what was printed."""
