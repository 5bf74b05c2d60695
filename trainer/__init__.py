"""Trains and evaluates LoRA adapters; also holds the small default base model and how it was made.

May import torch, transformers, peft, bitsandbytes and, when the caller uses it, dagster_pipes.
Must not know the platform (``astra_learn_assets``): the two meet in files and exit statuses only.
"""

import os

# Waiting threads spin briefly, then sleep: with another process on the same cores long spinning costs more
# than it saves, and no spinning at all made an idle machine a third slower. The runtime reads this when torch
# is loaded, so it comes first.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# Packs of other lengths leave gaps between blocks of fixed size; segments that grow leave none. Torch reads
# it once, when it is imported.
os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
