"""Policies as code: rules of cost that run in CI."""
