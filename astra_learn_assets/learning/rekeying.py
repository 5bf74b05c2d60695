"""Another key signs from now on: what the one before had signed is signed anew, after it was checked with it.

    sign_anew(platform, "villaverde", old=public_key_of_before)

For a key that is to be replaced, or that was lost: its public half, which everybody who serves has, is enough
to tell what it signed. An adapter is signed again only if it is what the database says it is, a verdict only
if its old signature holds; the rest is named and left. For a key that *somebody else* has this is not enough:
he could have signed anything. Then evaluate the adapters anew instead.

The master key that wraps the municipalities' keys is replaced by :func:`wrap_anew`; no file changes by that.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from astra_learn_assets.errors import AdapterRefused, DecryptionFailed, NotFound, SealBroken
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, rulings
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys, seals
from astra_learn_assets.registry.manifest import MANIFEST, SIGNATURE, digest_of
from astra_learn_assets.registry.signature import verify_folder
from astra_learn_assets.store import adapters, locks, paths, promotions, tenants, verdicts
from astra_learn_assets.store.crypto import MasterKey
from astra_learn_assets.store.tables import Adapter


@dataclass(frozen=True)
class Signed:
    """What was signed anew; ``refused`` says of each adapter or verdict why it was not."""

    tenant_id: TenantId
    adapters: int
    verdicts: int
    refused: tuple[str, ...]


def sign_anew(platform: Platform, tenant_id: TenantId, *, old: Ed25519PublicKey) -> Signed:
    """Sign what ``old`` signed with the key of now, and announce what serves. May be repeated.

    Raises:
        UnknownTenant: there is no such tenant.
        Unavailable: Postgres, Redis or the object store does not answer.
    """
    refused: list[str] = []
    with platform.database.session() as session:
        tenants.get(session, tenant_id)
        known = adapters.listing(session, tenant_id)
    signed = sum(_adapter(platform, row, old, refused) for row in known)
    judged = sum(_verdict(platform, row, gate, old, refused) for row in known for gate in rulings.GATES)
    announcing.announce(platform, tenant_id)
    return Signed(tenant_id, signed, judged, tuple(refused))


def _adapter(platform: Platform, row: Adapter, old: Ed25519PublicKey, refused: list[str]) -> bool:
    now = keys.signing_key(platform.settings)
    with tempfile.TemporaryDirectory(prefix="astra-sign-") as work:
        folder = Path(work, "adapter")
        try:
            platform.objects.get_folder(paths.adapter(row.adapter_id), folder)
        except NotFound:
            refused.append(f"{row.adapter_id}: its files are gone")
            return False
        try:
            verify_folder(folder, now.public_key(), row.tenant_id)
            return False
        except AdapterRefused:
            pass  # then it is the key before that must have signed it
        try:
            found = verify_folder(folder, old, row.tenant_id)
        except AdapterRefused as error:
            refused.append(f"{row.adapter_id}: {error}")
            return False
        if digest_of(found) != row.digest:
            refused.append(f"{row.adapter_id}: it is not the adapter that was judged")
            return False
        signature = now.sign((folder / MANIFEST).read_bytes()).hex().encode() + b"\n"
    platform.objects.put(f"{paths.adapter(row.adapter_id)}/{SIGNATURE}", signature, overwrite=True)
    return True


def _verdict(platform: Platform, row: Adapter, gate: str, old: Ed25519PublicKey, refused: list[str]) -> bool:
    """Append the newest verdict once more under the key of now; the table forgets nothing."""
    with platform.database.session() as session:
        locks.hold(session, promotions.LOCK, row.tenant_id)
        newest = verdicts.newest(session, row.tenant_id, gate, row.digest)
        if newest is None:
            return False
        verdict = verdicts.said(newest)
        content = verdict.model_dump(mode="json")
        if _holds(keys.verify_key(platform.settings), content, newest.signature):
            return False
        if not _holds(old, content, newest.signature):
            refused.append(f"{row.adapter_id}: its verdict of {gate} was signed by neither key")
            return False
        rulings.record(platform, session, verdict, dagster_run_id=newest.dagster_run_id)
        return True


def _holds(key: Ed25519PublicKey, content: dict[str, object], signature: str | None) -> bool:
    try:
        seals.check(key, "verdict", content, signature)
    except SealBroken:
        return False
    return True


def wrap_anew(platform: Platform, *, old: MasterKey) -> int:
    """Wrap every municipality's key with the master key of now; returns how many ``old`` had wrapped.

    All in one transaction: either the new master opens all of them afterwards, or nothing has changed.

    Raises:
        DecryptionFailed: neither master opens a key, naming the municipality.
    """
    changed = 0
    with platform.database.session() as session:
        for row in tenants.list_all(session):
            if row.wrapped_key is None:
                continue
            try:
                anew = platform.vault.rewrapped(row.wrapped_key, old=old)
            except DecryptionFailed as error:
                raise DecryptionFailed(f"tenant {row.tenant_id}: {error}") from error
            if anew is not None:
                row.wrapped_key = anew
                changed += 1
        session.flush()
    return changed
