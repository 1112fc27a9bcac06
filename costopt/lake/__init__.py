"""Append-only Parquet tables on disk: idempotent, crash-safe, deduplicating."""
