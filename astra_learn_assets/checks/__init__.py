"""The four gates as blocking checks on the tenant's partition.

A blocking check stops the rest of its run only. A later run that selects downstream assets alone
would ignore it, and a check with severity WARN stops nothing. So each gate has severity ERROR, is
partitioned like its asset, and writes its verdict for an exact digest; every step after a gate asks
the store for the passing verdict of the digest it is about to use.
"""
