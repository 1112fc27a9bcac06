"""Weekly plans as files to deploy: forms.py offers them, one module a target knows its limits.

A target says which resources it stands for, by provider and by machine or group; which plans it
refuses, and why; and what of a plan is not in its files.
"""
