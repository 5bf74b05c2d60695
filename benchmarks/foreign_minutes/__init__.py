"""Invented minutes of many countries and layouts, with every mention of a person marked."""
