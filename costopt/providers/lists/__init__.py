"""Public price lists of providers that costopt collects nothing else from.

Each list is described in a file of its own (`LISTING`, see layout.py) and named in the registry as
"price-list"; transfer.py asks, refresh.py brings what is told into the common frame. Beside them:
the European Central Bank's exchange rates (ecb.py).
"""
