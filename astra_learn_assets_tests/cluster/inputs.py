"""What a container is given: its environment and its volumes, from the objects that the pod names.

A missing Secret or ConfigMap is an error with the kubelet's own reason: ``CreateContainerConfigError`` for
the environment, ``FailedMount`` for a volume. What this agent does not know (CSI, resourceFieldRef) is
refused by name, never left out in silence.
"""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from astra_learn_assets_tests.cluster.kube import Kube, Object

_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))")


class NotReady(Exception):
    """The pod cannot be given what it names, now; ``reason`` as the kubelet words it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def environment(kube: Kube, pod: Object, container: Object, base: Mapping[str, str]) -> dict[str, str]:
    """``base``, then ``envFrom`` in order, then ``env`` in order, references expanded.

    Raises:
        NotReady: a Secret, ConfigMap or key that is not optional does not exist.
    """
    values = dict(base)
    for source in container.get("envFrom", []):
        for kind in ("configMapRef", "secretRef"):
            if kind in source:
                data = _data(kube, pod, kind, source[kind], "CreateContainerConfigError")
                prefix = source.get("prefix", "")
                values |= {prefix + name: value.decode() for name, value in data.items()}
    for item in container.get("env", []):
        value = _value(kube, pod, item, values)
        if value is not None:
            values[item["name"]] = value
    return values


def expand(text: str, values: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced by its value; an unknown name stays as it is, ``$$`` is a dollar."""

    def put(found: re.Match[str]) -> str:
        return "$" if found[1] == "$" else values.get(found[2], found[0])

    return _REFERENCE.sub(put, text)


def volumes(kube: Kube, pod: Object, folder: Path) -> dict[str, Path]:
    """The folder (hostPath: folder or file) of each of the pod's volumes, filled.

    Raises:
        NotReady: something a volume needs does not exist, or its kind is not known here.
    """
    return {volume["name"]: _volume(kube, pod, volume, folder) for volume in pod["spec"].get("volumes", [])}


def field(pod: Object, path: str) -> str:
    """A ``fieldRef`` of the downward API.

    Raises:
        NotReady: a path this agent does not know.
    """
    if found := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        return str(pod["metadata"].get(found[1], {}).get(found[2], ""))
    if path in ("status.podIP", "status.hostIP"):
        return "127.0.0.1"
    section, _, name = path.partition(".")
    if section not in ("metadata", "spec") or not isinstance(pod[section].get(name), str):
        raise NotReady("CreateContainerConfigError", f"fieldRef {path} is not known to this agent")
    return str(pod[section][name])


def _value(kube: Kube, pod: Object, item: Object, values: Mapping[str, str]) -> str | None:
    source = item.get("valueFrom")
    if source is None:
        return expand(item.get("value", ""), values)
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"])
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if kind in source:
            reference = source[kind]
            data = _data(kube, pod, kind, reference, "CreateContainerConfigError")
            if reference["key"] in data:
                return data[reference["key"]].decode()
            if reference.get("optional"):
                return None
            message = f"couldn't find key {reference['key']} in {kind[:-6]} {reference['name']}"
            raise NotReady("CreateContainerConfigError", message)
    message = f"{item['name']}: valueFrom {list(source)} is not known to this agent"
    raise NotReady("CreateContainerConfigError", message)


def _data(kube: Kube, pod: Object, kind: str, reference: Object, reason: str) -> dict[str, bytes]:
    """The entries of the ConfigMap or Secret that ``reference`` names; none when optional and absent."""
    secret = kind.startswith("secret")
    name = reference.get("name") or reference["secretName"]
    collection = "secrets" if secret else "configmaps"
    found = kube.find(f"/api/v1/namespaces/{pod['metadata']['namespace']}/{collection}/{name}")
    if found is None:
        if reference.get("optional"):
            return {}
        raise NotReady(reason, f'{collection[:-1]} "{name}" not found')
    data = found.get("data") or {}
    if secret:
        return {key: base64.b64decode(value) for key, value in data.items()}
    binary = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
    return {key: value.encode() for key, value in data.items()} | binary


def _volume(kube: Kube, pod: Object, volume: Object, folder: Path) -> Path:
    if "persistentVolumeClaim" in volume:
        volume = _bound(kube, pod, volume["persistentVolumeClaim"]["claimName"])
    if "hostPath" in volume:
        path = Path(volume["hostPath"]["path"])
        if volume["hostPath"].get("type") == "DirectoryOrCreate":
            path.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            raise NotReady("FailedMount", f"hostPath {path} does not exist")
        return path
    target = folder / volume["name"]
    if "emptyDir" in volume:
        target.mkdir(parents=True, exist_ok=True)  # outlives a container, so that a restart finds it again
        return target
    sources = volume["projected"]["sources"] if "projected" in volume else [volume]
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for source in sources:
        for name, content in _files(kube, pod, source).items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o440)
    return target


def _files(kube: Kube, pod: Object, source: Object) -> dict[str, bytes]:
    """File name and content of one source of a volume."""
    readers: dict[str, Callable[[Object], dict[str, bytes]]] = {
        "secret": lambda part: _picked(_data(kube, pod, "secret", part, "FailedMount"), part),
        "configMap": lambda part: _picked(_data(kube, pod, "configMap", part, "FailedMount"), part),
        "downwardAPI": lambda part: {
            item["path"]: field(pod, item["fieldRef"]["fieldPath"]).encode() for item in part["items"]
        },
        "serviceAccountToken": lambda part: {part["path"]: _token(kube, pod, part).encode()},
    }
    for kind, read in readers.items():
        if kind in source:
            return read(source[kind])
    raise NotReady("FailedMount", f"volume {sorted(set(source) - {'name'})} is not known to this agent")


def _picked(data: dict[str, bytes], source: Object) -> dict[str, bytes]:
    if "items" not in source:
        return data
    missing = [item["key"] for item in source["items"] if item["key"] not in data]
    if missing and not source.get("optional"):
        raise NotReady("FailedMount", f"references non-existent config key: {', '.join(missing)}")
    return {item["path"]: data[item["key"]] for item in source["items"] if item["key"] in data}


def _token(kube: Kube, pod: Object, source: Object) -> str:
    """A token of the pod's service account, bound to the pod: the API server issues it to this node only."""
    meta = pod["metadata"]
    bound = {"kind": "Pod", "apiVersion": "v1", "name": meta["name"], "uid": meta["uid"]}
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [source["audience"]] if source.get("audience") else [],
            "expirationSeconds": source.get("expirationSeconds", 3600),
            "boundObjectRef": bound,
        },
    }
    account = pod["spec"].get("serviceAccountName", "default")
    path = f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token"
    return str(kube.create(path, request)["status"]["token"])


def _bound(kube: Kube, pod: Object, claim: str) -> Object:
    """The volume behind a claim: only those of kind hostPath are known here."""
    found = kube.find(f"/api/v1/namespaces/{pod['metadata']['namespace']}/persistentvolumeclaims/{claim}")
    name = (found or {}).get("spec", {}).get("volumeName")
    if not name:
        raise NotReady("FailedMount", f'persistentvolumeclaim "{claim}" is not bound')
    spec: Object = kube.get(f"/api/v1/persistentvolumes/{name}")["spec"]
    if "hostPath" not in spec:
        raise NotReady("FailedMount", f"persistentvolume {name} is no hostPath")
    return spec
