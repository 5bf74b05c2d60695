"""The compute policy of the test cluster: small pods, one card for a training, no whole Secret in any."""

from __future__ import annotations

from typing import Any

from astra_learn_assets_tests.cluster.nodes import GPU, INFERENCE_TAINT, POOL_LABEL

SECRET = "astra-learn"
ACCOUNT = "runs"
PRIORITY = "training"


def policy(variables: dict[str, str]) -> dict[str, Any]:
    """What ``ASTRA_COMPUTE_PROFILES`` holds; each of ``variables`` is a key of the Secret."""
    common: dict[str, Any] = {
        "requests": {"cpu": "500m", "memory": "1Gi"},
        "limits": {"cpu": "2", "memory": "8Gi"},
        "active_deadline_seconds": 3600,
        "ttl_seconds": 3600,
        "service_account": ACCOUNT,
        "security_context": {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False},
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "volume_mounts": [{"name": "scratch", "mountPath": "/tmp"}],
        "env": [{"name": name, "secretKeyRef": {"name": SECRET, "key": name}} for name in variables],
    }
    card = {
        **common,
        "gpu": 1,
        "node_selector": {POOL_LABEL: "training"},
        "tolerations": [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}],
        "priority_class": PRIORITY,
    }
    return {
        "profiles": {"card": card, "cpu": common},
        "kinds": {"training": {"standard": "card"}, "default": {"standard": "cpu"}},
        "inference": {"labels": {POOL_LABEL: "inference"}, "taints": [INFERENCE_TAINT]},
    }
