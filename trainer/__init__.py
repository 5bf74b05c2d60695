"""The training and evaluation recipe. Runs alone; imports nothing of ``astra_learn_assets``."""
