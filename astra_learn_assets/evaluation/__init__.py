"""From predictions on the golden set to WER, intervals and the verdict of ``wer_gate``.

May import: contracts, errors, ids, ``datasets`` (golden set and JSONL), numpy and jiwer. Pure, no Dagster.
Must not know: how predictions were made, where files are stored, or what a promotion does.
"""
