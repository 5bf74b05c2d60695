"""The town with an MLflow, as the registry's tests have it."""

from astra_learn_assets_tests.registry.conftest import empty_mlflow, town

__all__ = ["empty_mlflow", "town"]
