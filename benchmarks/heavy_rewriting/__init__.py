"""Drafts of minutes and the finals that a clerk could have made of them, with the truth of each paragraph.

Written from the contracts alone, without the comparison engine's code: see README.md.
"""

from benchmarks.heavy_rewriting.checks import check
from benchmarks.heavy_rewriting.generate import generate
from benchmarks.heavy_rewriting.model import KINDS, FinalParagraph, Paragraph, Rewriting

__all__ = ["KINDS", "FinalParagraph", "Paragraph", "Rewriting", "check", "generate"]
