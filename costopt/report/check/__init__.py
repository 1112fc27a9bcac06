"""What policies found, for people, for forges and for whoever collects tests."""
