"""Machines of one's own, through a Prometheus (docs/providers/prometheus.md)."""
