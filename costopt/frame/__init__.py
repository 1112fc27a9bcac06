"""The common frame judged: data quality and bills."""
