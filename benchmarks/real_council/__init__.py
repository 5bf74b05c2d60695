"""Drafts and finals of a council made from real minutes, for learning.py.

The errors of a recognizer and the habits of one clerk are drawn for each council here, by a hand apart from
the trainer's own noise (``trainer/making``) and from the simulator: neither may import this package.
"""
