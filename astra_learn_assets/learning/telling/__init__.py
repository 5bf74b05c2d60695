"""Telling people: what a notice says, where it may go, and how it gets there (webhook, e-mail).

May import what ``learning`` may. Must not know Dagster; who is told of what is ``store/subscriptions.py``'s.
"""
