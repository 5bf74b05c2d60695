"""The nodes of the test cluster: one pool for training, one for inference, one without a card.

A pool's taint keeps away what does not name it: a training pod on an inference node would take the card from
under a council that is in session.
"""

from __future__ import annotations

from dataclasses import dataclass, field

GPU = "nvidia.com/gpu"
POOL_LABEL = "astra.learn/pool"
INFERENCE_TAINT = "astra.learn/inference"


@dataclass(frozen=True)
class NodeSpec:
    """What a node says of itself when it registers."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[dict[str, str], ...] = ()
    gpus: int = 0
    cpu: str = "8"
    memory: str = "32Gi"


GPU_TRAIN = NodeSpec(
    "gpu-train",
    labels={POOL_LABEL: "training"},
    taints=({"key": GPU, "value": "present", "effect": "NoSchedule"},),
    gpus=1,
)
GPU_INFER = NodeSpec(
    "gpu-infer",
    labels={POOL_LABEL: "inference"},
    taints=({"key": INFERENCE_TAINT, "value": "only", "effect": "NoSchedule"},),
    gpus=1,
)
CPU = NodeSpec("cpu", labels={POOL_LABEL: "platform"})
NODES = (GPU_TRAIN, GPU_INFER, CPU)


def node_object(spec: NodeSpec, address: str, port: int) -> dict[str, object]:
    """The Node as its kubelet would create it; ``port``: where the API server asks it for logs."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": spec.name,
            "labels": {
                "kubernetes.io/hostname": spec.name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                **spec.labels,
            },
        },
        "spec": {"taints": list(spec.taints)},
        "status": node_status(spec, address, port),
    }


def node_status(spec: NodeSpec, address: str, port: int) -> dict[str, object]:
    """Capacity, address and conditions of a healthy node."""
    capacity = {"cpu": spec.cpu, "memory": spec.memory, "pods": "110", "ephemeral-storage": "100Gi"}
    if spec.gpus:
        capacity[GPU] = str(spec.gpus)
    return {
        "capacity": capacity,
        "allocatable": capacity,
        "addresses": [
            {"type": "InternalIP", "address": address},
            {"type": "Hostname", "address": spec.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
