"""ASTRA-LEARN: corrected minutes in, a better adapter out, one municipality at a time."""

import os

# Read when numpy is loaded, so it comes first. The matrices here are small, and OpenBLAS's threads spin while
# they wait for the next one: on two busy cores masking took 3.2 s of processor instead of .9.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
