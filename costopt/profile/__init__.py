"""What machines do: one pass over packed days, heatmaps."""
