"""What did the human change, and which audio did it come from: DOCX -> blocks -> delta.
May import lxml, rapidfuzz and ``contracts``, ``errors``, ``ids``; python-docx only to write drafts.
Must not know tenants' stores, Dagster, the web or any model.
"""
