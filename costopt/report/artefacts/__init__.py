"""What people deploy themselves: files for their own pipelines. costopt changes nothing.

A kind (alarms) turns a report into artefacts; one module a target knows that target's limits.
Names of machines are untrusted: identifiers never hold them, only texts do, made harmless.
"""
