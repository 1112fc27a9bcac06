"""Microsoft Azure: subscriptions through Azure's own libraries (docs/providers/azure.md).

They take a second to import, so what uses them is imported where it is called.
"""
