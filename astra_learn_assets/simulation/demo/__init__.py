"""``astra-learn demo``: two simulated councils drive the real platform, and the figures are checked.

May import everything below it; nothing imports it but the command line. It plays the neighbours
(Builder, clerk, CORE) through the same API, events and store that they use in production.
"""
