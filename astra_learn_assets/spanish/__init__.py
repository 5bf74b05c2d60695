"""What any module may know of the language and of text: word lists, fold, placeholders, visible text.

- :mod:`.lexicon`: which words are ordinary, names, offices or places; its tables, one term a line
- :mod:`.word_tables`: how such a table is read, and what ``make lint`` refuses in one
- :mod:`.name_words`: the words of a text, folded, and what each of them is
- :mod:`.fold`: every way two spellings are held to be the same
- :mod:`.placeholder`: the one expression for ``<PERSONA_1>``
- :mod:`.visible`: a text as detectors see it, with the way back to the original's offsets
- :mod:`.text`: a text as data sets keep it

Imports nothing of the project. Must not know what a document, a detector or a dictionary is.
"""
