"""One module per stage, in the order of the graph. Each asset calls one stage and tells the UI.

Policies that hold for all assets (owner, partition) are in :func:`common`, not repeated.
"""

from __future__ import annotations

from typing import Any

from astra_learn_assets.partitions import tenant_partitions


def common(group: str, *kinds: str) -> dict[str, Any]:
    """Arguments every asset of ``group`` shares; at most two ``kinds`` beside Python."""
    return {
        "partitions_def": tenant_partitions,
        "group_name": group,
        "owners": ["team:astra-learn"],
        "kinds": {"python", *kinds},
    }
