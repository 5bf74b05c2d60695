"""Thin Dagster resources over the modules that do the work. No rule lives here."""

from astra_learn_assets.resources.platform import PlatformResource
from astra_learn_assets.resources.trainer import TrainerResource

__all__ = ["PlatformResource", "TrainerResource"]
