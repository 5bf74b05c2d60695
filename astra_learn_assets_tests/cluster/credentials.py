"""Who is who on the control plane: one certificate authority, one static token a component, kubeconfigs."""

from __future__ import annotations

import base64
import ipaddress
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADMIN = "admin"
_USERS = {
    # user: groups; the names are those that Kubernetes' built-in roles are bound to
    ADMIN: "system:masters",
    "system:kube-scheduler": "",
    "system:kube-controller-manager": "",
    "system:kube-apiserver": "system:masters",
}


@dataclass(frozen=True)
class Credentials:
    """Files of the control plane in ``folder``, and the token of each user."""

    folder: Path
    tokens: dict[str, str]

    @property
    def authority(self) -> Path:
        """The certificate that signs every server's."""
        return self.folder / "ca.crt"

    @property
    def token_file(self) -> Path:
        """``--token-auth-file`` of the API server."""
        return self.folder / "tokens.csv"

    def certificate(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of the server ``name``."""
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"


def make(folder: Path, nodes: tuple[str, ...]) -> Credentials:
    """Write authority, serving certificates, the service accounts' key and the tokens into ``folder``."""
    folder.mkdir(mode=0o700)
    key, authority = _authority()
    (folder / "ca.crt").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for server in ("apiserver", "kubelet"):
        _serving(folder, server, key, authority)
    account = ec.generate_private_key(ec.SECP256R1())
    (folder / "service-accounts.key").write_bytes(_pem(account))
    users = {**_USERS, **{f"system:node:{node}": "system:nodes" for node in nodes}}
    tokens = {user: secrets.token_hex(16) for user in users}
    lines = [f'{tokens[user]},{user},{user},"{groups}"\n' for user, groups in users.items()]
    (folder / "tokens.csv").write_text("".join(lines))
    return Credentials(folder, tokens)


def kubeconfig(path: Path, *, server: str, authority: Path, token: str, namespace: str = "default") -> Path:
    """Write a kubeconfig (JSON is YAML) for one token."""
    cluster = {
        "server": server,
        "certificate-authority-data": base64.b64encode(authority.read_bytes()).decode(),
    }
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "me", "namespace": namespace}}],
        "current-context": "test",
    }
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path


def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    builder = _builder(name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return key, builder.sign(key, hashes.SHA256())


def _serving(
    folder: Path, server: str, signer: ec.EllipticCurvePrivateKey, authority: x509.Certificate
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, server)])
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    names += [x509.DNSName(dns) for dns in ("localhost", "kubernetes", "kubernetes.default.svc")]
    builder = _builder(name, authority.subject, key.public_key())
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    (folder / f"{server}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{server}.key").write_bytes(_pem(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
