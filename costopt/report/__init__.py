"""Formats: a Report in, bytes out."""
