"""costopt: what a fleet of machines does, what it costs, and what to change."""

__version__ = "0.1.0"
