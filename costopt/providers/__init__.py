"""Where usage, prices and bills come from: one file a provider."""
