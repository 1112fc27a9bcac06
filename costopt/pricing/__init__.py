"""The catalogue of machine shapes and prices."""
