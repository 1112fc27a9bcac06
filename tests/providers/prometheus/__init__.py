"""Tests of costopt/providers/prometheus."""
