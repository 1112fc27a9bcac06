"""Rules: what is wasteful, what is better, and why."""
