"""The panel as HTML: templates, texts in two languages, the curve, what a page may load.

May import ``learning``; knows no request and no database. Nothing here runs a script of another site.
"""
