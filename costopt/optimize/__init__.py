"""Decisions on arrays: sizes. Arrays in, arrays out."""
