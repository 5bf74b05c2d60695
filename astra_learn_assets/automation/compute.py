"""What a run may take from the cluster: one typed policy, from which every run is stamped.

A run that brings no limits can starve its node, one that asks for no GPU trains nothing, one that lands on
the inference nodes disturbs inference, and one that brings its own ``dagster-k8s/config`` would undo all
three. So on Kubernetes the file of ``ASTRA_COMPUTE_PROFILES`` says what each kind of run gets, and the
coordinator writes that into the run's tag, whatever the run came from. What a run brings itself is merged
where it only narrows (fewer resources, a label, a variable of its own) and refused, with a sentence, where it
would weaken the profile. Pure: knows no Dagster and no Kubernetes client.

The file (JSON; the Helm chart writes it)::

    {"profiles": {"gpu-t4": {...}, "cpu": {...}},
     "kinds": {"training": {"standard": "gpu-t4", "premium": "gpu-l4"}, "default": {"standard": "cpu"}},
     "inference": {"labels": {"astra-learn/pool": "inference"}, "taints": ["astra-learn/inference"]}}

With ``"resident": {"gpu-t4": {...}}`` the trainings of that profile ask for no card: they wait in a folder of
a shared volume for the one pod that has it (:mod:`astra_learn_assets.automation.resident`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from astra_learn_assets.errors import BadConfiguration

Kind = Literal["training", "default"]
STANDARD = "standard"
GPU_RESOURCE = "nvidia.com/gpu"
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|[kKMGTPE]i?)?")
_FACTORS: dict[str | None, Decimal] = {
    None: Decimal(1), "m": Decimal("0.001"), "k": Decimal(10**3), "K": Decimal(10**3),
    **{prefix: Decimal(10 ** (3 * power)) for power, prefix in enumerate("MGTPE", start=2)},
    **{f"{prefix}i": Decimal(2 ** (10 * power)) for power, prefix in enumerate("KMGTPE", start=1)},
}  # fmt: skip
_HOST_VOLUMES = ("hostPath", "host_path")
_PLATFORMS_OWN = ("ASTRA_", "PG", "AWS_", "MLFLOW_", "DAGSTER_")


def quantity(text: str) -> Decimal:
    """A Kubernetes quantity as a number: ``"500m"`` is .5, ``"2Gi"`` is 2147483648.

    Raises:
        ValueError: it is none.
    """
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r:.30} is no Kubernetes quantity such as 500m, 2 or 4Gi")
    return Decimal(match[1]) * _FACTORS[match[2]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretKeyRef(_Strict):
    """One key of one Secret: never a whole Secret."""

    name: str = Field(min_length=1)
    key: str = Field(min_length=1)


class EnvVar(_Strict):
    """One variable of the allow-list: a value, or one key of a Secret."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    value: str | None = None
    secretKeyRef: SecretKeyRef | None = None  # noqa: N815  (the name Kubernetes gives it)

    @model_validator(mode="after")
    def _has_one_source(self) -> EnvVar:
        if (self.value is None) == (self.secretKeyRef is None):
            raise ValueError(f"variable {self.name}: give a value or one key of a Secret, not both or none")
        return self

    def as_k8s(self) -> dict[str, Any]:
        """As ``V1EnvVar``."""
        if self.secretKeyRef is None:
            return {"name": self.name, "value": self.value}
        return {"name": self.name, "value_from": {"secret_key_ref": self.secretKeyRef.model_dump()}}


class ComputeProfile(_Strict):
    """What the pod of a run is: size, place, rank, time, files, rights, environment."""

    requests: dict[str, str]
    limits: dict[str, str]
    gpu: int = Field(0, ge=0, le=16)
    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()
    priority_class: str | None = None
    active_deadline_seconds: int = Field(gt=0)
    ttl_seconds: int = Field(ge=0)
    volumes: tuple[dict[str, Any], ...] = ()
    volume_mounts: tuple[dict[str, Any], ...] = ()
    service_account: str = Field(min_length=1)
    security_context: dict[str, Any]
    pod_security_context: dict[str, Any] = {}
    env: tuple[EnvVar, ...] = ()
    image: str | None = None
    labels: dict[str, str] = {}

    @model_validator(mode="after")
    def _is_bounded(self) -> ComputeProfile:
        for name in ("cpu", "memory"):
            if name not in self.limits:
                raise ValueError(f"no {name} limit: a run without limits can starve its whole node")
            if name not in self.requests:
                raise ValueError(f"no {name} request: the scheduler could put any number of runs on a node")
        for name, asked in self.requests.items():
            if name in self.limits and quantity(asked) > quantity(self.limits[name]):
                raise ValueError(f"requests more {name} ({asked}) than its limit ({self.limits[name]})")
        for name, limit in self.limits.items():
            if quantity(limit) <= 0:
                raise ValueError(f"{name} limit {limit} is not above 0")
        if GPU_RESOURCE in {*self.requests, *self.limits}:
            raise ValueError(f"say how many cards with gpu, not with {GPU_RESOURCE}")
        if self.gpu and not self.node_selector:
            raise ValueError(
                "asks for a GPU and selects no node pool: it could land on the inference nodes; "
                "set node_selector to the label of the training pool"
            )
        for volume in self.volumes:
            if any(kind in volume for kind in _HOST_VOLUMES):
                raise ValueError(f"volume {volume.get('name')!r:.40}: hostPath gives a run its node's files")
        return self

    def resources(self) -> dict[str, dict[str, str]]:
        """Requests and limits of the container, cards included."""
        cards = {GPU_RESOURCE: str(self.gpu)} if self.gpu else {}
        return {"requests": {**self.requests, **cards}, "limits": {**self.limits, **cards}}

    def as_config(self) -> dict[str, Any]:
        """The value of the tag ``dagster-k8s/config``."""
        container: dict[str, Any] = {
            "resources": self.resources(),
            "env": [variable.as_k8s() for variable in self.env],
            "volume_mounts": list(self.volume_mounts),
            "security_context": self.security_context,
        }
        if self.image is not None:
            container["image"] = self.image
        pod: dict[str, Any] = {
            "node_selector": self.node_selector,
            "tolerations": list(self.tolerations),
            "volumes": list(self.volumes),
            "service_account_name": self.service_account,
            "security_context": self.pod_security_context,
        }
        if self.priority_class is not None:
            pod["priority_class_name"] = self.priority_class
        return {
            "container_config": container,
            "pod_spec_config": pod,
            "pod_template_spec_metadata": {"labels": self.labels},
            "job_metadata": {"labels": self.labels},
            "job_spec_config": {
                "active_deadline_seconds": self.active_deadline_seconds,
                "ttl_seconds_after_finished": self.ttl_seconds,
                "backoff_limit": 0,  # no second pod of one run: Dagster retries runs
            },
            "merge_behavior": "DEEP",
        }


class ResidentBase(_Strict):
    """Who trains for a profile's runs, and where they wait for it. ``pod``: what its pod is.

    ``queue``: the folder that both mount; ``base``: None is the one that comes with the trainer.
    """

    job_name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$")]
    pod: ComputeProfile
    queue: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+){2,}$")]
    base: str | None = None
    base_revision: str | None = None
    idle_minutes: float = Field(gt=0)
    job_minutes: float = Field(gt=0)
    grace_seconds: int = Field(60, gt=0)

    @model_validator(mode="after")
    def _has_a_card_and_no_secret(self) -> ResidentBase:
        if self.pod.gpu < 1:
            raise ValueError("the pod that serves asks for no GPU")
        for variable in self.pod.env:  # a tenant's training runs in it
            if variable.name.startswith(_PLATFORMS_OWN):
                raise ValueError(f"the pod that serves gets {variable.name}, which is the platform's alone")
        for volume in self.pod.volumes:
            if "secret" in volume:
                raise ValueError(f"the pod that serves mounts the secret volume {volume.get('name')!r:.40}")
        return self

    def against(self, caller: ComputeProfile) -> str | None:
        """What keeps ``caller``'s runs from being served; None: nothing."""
        if caller.gpu:
            return "still asks for a GPU"
        said = {variable.name: variable.value for variable in caller.env}
        if said.get("ASTRA_TRAINER_QUEUE") != self.queue:
            return f"does not name {self.queue} as ASTRA_TRAINER_QUEUE"
        try:
            waits = float(said.get("ASTRA_TRAINER_QUEUE_WAIT_MINUTES") or 0)
        except ValueError:
            waits = 0.0
        if waits <= self.idle_minutes:
            return (
                f"waits {waits:g} minutes (ASTRA_TRAINER_QUEUE_WAIT_MINUTES) for who may stay idle for "
                f"{self.idle_minutes:g} with another image: it must wait longer"
            )
        base, revision = (said.get(f"ASTRA_BASE_{name}") or None for name in ("MODEL", "REVISION"))
        if (base, revision) != (self.base, self.base_revision):
            return f"trains {base} at {revision}, and {self.base} at {self.base_revision} is served"
        if _mounted_at(self.queue, caller) is None or _mounted_at(self.queue, self.pod) is None:
            return f"and who serves it must both mount a claim that holds {self.queue}"
        if _mounted_at(self.queue, caller) != _mounted_at(self.queue, self.pod):
            return f"and who serves it mount different claims at {self.queue}"
        if caller.image != self.pod.image:
            return f"runs {caller.image}, and {self.pod.image} serves it"
        return None


def _mounted_at(folder: str, pod: ComputeProfile) -> tuple[str, str, str] | None:
    """The claim, its sub-path and where it is mounted, of the volume that holds ``folder``."""
    claims = {
        str(volume["name"]): str(volume["persistentVolumeClaim"].get("claimName"))
        for volume in pod.volumes
        if "persistentVolumeClaim" in volume
    }
    for mount in pod.volume_mounts:
        place = str(mount.get("mountPath", "")).rstrip("/")
        if place and f"{folder}/".startswith(f"{place}/") and mount.get("name") in claims:
            return claims[str(mount["name"])], str(mount.get("subPath", "")), place
    return None


class InferencePool(_Strict):
    """How the nodes of inference can be told: their labels, the keys of their taints."""

    labels: dict[str, str] = {}
    taints: tuple[str, ...] = ()


class ComputePolicy(_Strict):
    """Every profile, and which one a kind of run gets by the municipality's tier."""

    profiles: dict[str, ComputeProfile]
    kinds: dict[Kind, dict[str, str]]
    inference: InferencePool = InferencePool()
    resident: dict[str, ResidentBase] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> ComputePolicy:
        for kind in ("training", "default"):
            tiers = self.kinds.get(kind)  # type: ignore[call-overload]  # the two values of Kind
            if tiers is None or STANDARD not in tiers:
                raise ValueError(f"kinds.{kind} needs a profile for the tier {STANDARD!r}")
            for tier, name in tiers.items():
                if name not in self.profiles:
                    raise ValueError(
                        f"kinds.{kind}.{tier} names the profile {name!r:.60}, which is not there"
                    )
        for tier, name in self.kinds["training"].items():
            if self.profiles[name].gpu < 1 and name not in self.resident:
                raise ValueError(f"kinds.training.{tier}: the profile {name!r} asks for no GPU")
        for name, resident in self.resident.items():
            if name not in self.profiles:
                raise ValueError(f"resident.{name}: there is no such profile")
            against = resident.against(self.profiles[name])
            if against:
                raise ValueError(f"resident.{name}: the profile {against}")
        if len({resident.queue for resident in self.resident.values()}) < len(self.resident):
            raise ValueError("resident: two of them share a queue; a base needs a folder of its own")
        pods = {f"resident.{name}": resident.pod for name, resident in self.resident.items()}
        for name, profile in {**self.profiles, **pods}.items():
            reason = self._disturbs_inference(profile)
            if reason:
                raise ValueError(f"profile {name!r} {reason}: training must not disturb inference")
        return self

    def _disturbs_inference(self, profile: ComputeProfile) -> str | None:
        shared = profile.node_selector.items() & self.inference.labels.items()
        if shared:
            return f"selects the inference pool ({', '.join(f'{k}={v}' for k, v in sorted(shared))})"
        for toleration in profile.tolerations:
            key = toleration.get("key")
            if key is None:
                return "tolerates every taint"
            if key in self.inference.taints:
                return f"tolerates the inference pool's taint {key}"
        return None

    def name_for(self, kind: Kind, tier: str) -> str:
        """The profile's name; a tier without one of its own gets the standard one."""
        tiers = self.kinds[kind]
        return tiers.get(tier, tiers[STANDARD])

    def by_tier(self, kind: Kind) -> bool:
        """Whether the tier makes a difference for ``kind``."""
        return len(set(self.kinds[kind].values())) > 1


def load(path: Path) -> ComputePolicy:
    """The policy in ``path``.

    Raises:
        BadConfiguration: the file cannot be read or is no sound policy; the message says what to change.
    """
    try:
        return ComputePolicy.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadConfiguration(f"ASTRA_COMPUTE_PROFILES: {path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        told = "; ".join(
            ".".join(str(part) for part in found["loc"] if part != "function-after") + ": "
            + str(found["msg"]).removeprefix("Value error, ")
            for found in error.errors(include_url=False, include_input=False)
        )  # fmt: skip
        raise BadConfiguration(f"ASTRA_COMPUTE_PROFILES: {path}: {told.lstrip(': ')}") from error


def merged(profile: ComputeProfile, own: Mapping[str, Any]) -> dict[str, Any]:
    """The tag for a run that brings the ``dagster-k8s/config`` tag ``own``.

    Taken over: smaller ``resources`` for cpu, memory and ephemeral storage, variables and labels with names
    of their own, an earlier deadline, a shorter ``ttl_seconds_after_finished``.

    Raises:
        BadConfiguration: ``own`` holds anything else; the sentence names it.
    """
    config = profile.as_config()
    for section, value in own.items():
        if section == "merge_behavior" or not value:
            continue
        taker = _TAKERS.get(section)
        if taker is None:
            raise _weaker(section, "is set by the compute profile alone")
        taker(config, _mapping(section, value))
    return config


def _take_container(config: dict[str, Any], own: Mapping[str, Any]) -> None:
    container = config["container_config"]
    for key, value in own.items():
        if key == "resources":
            _take_resources(container["resources"], _mapping("container_config.resources", value))
        elif key == "env":
            known = {variable["name"] for variable in container["env"]}
            for variable in value:
                name = variable.get("name") if isinstance(variable, Mapping) else None
                if name is None or name in known or set(variable) != {"name", "value"}:
                    raise _weaker(
                        f"container_config.env {name!r}",
                        "may only add plain values under names that the profile does not have",
                    )
                container["env"].append(dict(variable))
        else:
            raise _weaker(f"container_config.{key}", "is set by the compute profile alone")


def _take_resources(ours: dict[str, dict[str, str]], own: Mapping[str, Any]) -> None:
    for side, values in own.items():
        if side not in ours:
            raise _weaker(f"resources.{side}", "is unknown")
        for name, value in _mapping(f"resources.{side}", values).items():
            known = ours[side].get(name)
            try:
                fits = known is not None and name != GPU_RESOURCE and 0 < quantity(value) <= quantity(known)
            except ValueError:
                fits = False
            if not fits and str(value) != known:
                raise _weaker(
                    f"resources.{side}.{name}={value}", f"may not be more than the profile's {known}"
                )
            ours[side][name] = str(value)
    for name, asked in ours["requests"].items():
        if name in ours["limits"] and quantity(asked) > quantity(ours["limits"][name]):
            ours["requests"][name] = ours["limits"][name]


def _take_labels(config: dict[str, Any], own: Mapping[str, Any], section: str) -> None:
    for key, values in own.items():
        if key != "labels":  # the launcher takes nothing else of a run's metadata
            raise _weaker(f"{section}.{key}", "is set by the compute profile alone")
        ours = config[section].setdefault(key, {})
        for name, value in _mapping(f"{section}.{key}", values).items():
            if ours.get(name, value) != value:
                raise _weaker(f"{section}.{key}.{name}", "is the profile's")
        config[section][key] = {**values, **ours}


def _take_job_spec(config: dict[str, Any], own: Mapping[str, Any]) -> None:
    ours = config["job_spec_config"]
    for key, value in own.items():
        if key not in ("active_deadline_seconds", "ttl_seconds_after_finished"):
            raise _weaker(f"job_spec_config.{key}", "is set by the compute profile alone")
        if not isinstance(value, int) or not 0 < value <= ours[key]:
            raise _weaker(f"job_spec_config.{key}={value}", f"may not be more than the profile's {ours[key]}")
        ours[key] = value


def _take_pod(config: dict[str, Any], own: Mapping[str, Any]) -> None:
    ours = config["pod_spec_config"]
    for key, value in own.items():
        if key != "node_selector":
            raise _weaker(f"pod_spec_config.{key}", "is set by the compute profile alone")
        for name, wanted in _mapping("pod_spec_config.node_selector", value).items():
            if ours["node_selector"].get(name, wanted) != wanted:
                raise _weaker(f"pod_spec_config.node_selector.{name}", "is the profile's node pool")
        ours["node_selector"] = {**value, **ours["node_selector"]}


_TAKERS = {
    "container_config": _take_container,
    "pod_spec_config": _take_pod,
    "pod_template_spec_metadata": lambda config, own: _take_labels(config, own, "pod_template_spec_metadata"),
    "job_metadata": lambda config, own: _take_labels(config, own, "job_metadata"),
    "job_spec_config": _take_job_spec,
}


def _mapping(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadConfiguration(f"dagster-k8s/config: {where} must be a JSON object")
    return value


def _weaker(what: str, why: str) -> BadConfiguration:
    return BadConfiguration(
        f"the run's own tag dagster-k8s/config would weaken its compute profile: {what} {why}; "
        "take it out of the tag, or change the profile"
    )
