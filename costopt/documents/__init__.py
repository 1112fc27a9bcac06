"""Files that people write: read with the place of everything in them, and told in plain words."""
