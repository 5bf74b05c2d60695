"""Persons by rule: listed names, titles, speakers, cues; whole spans; who is the same person.

May import ``spanish`` and ``identifiers.rules``. Must not know any model.
"""
