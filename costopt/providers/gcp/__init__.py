"""Google Cloud: projects through Google's own libraries (docs/providers/gcp.md).

They take seconds to import, so what uses them is imported where it is called.
"""
