"""From anonymized pairs to the corpus a training reads and the golden set an evaluation reads.

May import: contracts, errors, ids and each other. Pure: no database, no object store, no Dagster.
Must not know: who stores the files, who trains, or any text from before anonymization.
"""
