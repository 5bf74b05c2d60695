"""A simulated council and the demo that drives the real platform with it. Not in the production image.

May import everything below the command line. Nothing imports it but the command line, tests and benchmarks.
"""
