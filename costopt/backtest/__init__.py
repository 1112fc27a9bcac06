"""How decisions would have done on weeks they had not seen: ours, and the vendors'."""
