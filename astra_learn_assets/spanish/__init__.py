"""What any module may know of the language and of text: word lists, fold, placeholders, visible text.

Imports nothing of the project. Must not know what a document, a detector or a dictionary is.
"""
