"""Trains and evaluates LoRA adapters; also holds the small default base model and how it was made.

May import torch, transformers, peft, bitsandbytes and, when the caller uses it, dagster_pipes.
Must not know the platform (``astra_learn_assets``): the two meet in files and exit statuses only.
"""
