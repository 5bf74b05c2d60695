"""What is masked for a municipality, and the fingerprint that tells one policy from another.

The *policy* is everything that decides what is masked: the tenant's country and blocklist, the rosters, the
detectors' versions and the data they know names from. Equal fingerprints mask alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy import pseudonymizer
from astra_learn_assets.privacy.ner import nlp, tagger
from astra_learn_assets.privacy.people import tables
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan import presidio, residual_names
from astra_learn_assets.privacy.scan.residual import ResidualScanner
from astra_learn_assets.settings import Settings
from astra_learn_assets.spanish import lexicon
from astra_learn_assets.store import artifacts, blocklist, looks, tenants


@dataclass(frozen=True)
class Policy:
    """What is masked for one tenant; equal fingerprints mask alike."""

    country: str
    mask_terms: tuple[str, ...]
    allow_terms: tuple[str, ...]
    model: str | None

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over every field and over :func:`detectors`."""
        content = json.dumps(
            [
                self.country,
                sorted(self.mask_terms),
                sorted(self.allow_terms),
                self.model,
                detectors(self.model),
            ]
        )
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def pseudonymizer(self) -> Pseudonymizer:
        """The first detector: replaces what it finds."""
        return Pseudonymizer(
            model=self.model,
            country=self.country,
            mask_terms=self.mask_terms,
            allow_terms=self.allow_terms,
        )

    def scanner(self) -> ResidualScanner:
        """The second detector: reports what is left."""
        return ResidualScanner(
            model=self.model,
            country=self.country,
            mask_terms=self.mask_terms,
            allow_terms=self.allow_terms,
        )


@lru_cache(maxsize=8)
def detectors(model: str | None) -> tuple[str, ...]:
    """What finds persons here: versions of the code, digests of the data; once per process and model.

    A model that came as a folder counts by its content, because people overwrite folders.

    Raises:
        BadConfiguration: the model is neither a folder nor an installed package.
    """
    return (
        f"pseudonymizer {pseudonymizer.VERSION}",
        "unchanged paragraphs 1",
        f"scored names {residual_names.VERSION}",
        *(f"{name} {number}" for name, number in sorted(presidio.versions().items())),
        f"lexicon {_content(lexicon.FOLDER)}",
        f"tables of persons {_content(tables.FOLDER)}",
        f"entity model {_model(model)}",
        f"tagger {hashlib.sha256(tagger.SHIPPED.read_bytes()).hexdigest()[:16]}",
    )


def _model(model: str | None) -> str:
    folder = nlp.SHIPPED_MODEL if model is None else Path(model)
    if folder.is_dir():
        return _content(folder)
    try:
        return f"{model} {version(str(model))}"
    except PackageNotFoundError as error:
        raise BadConfiguration(
            f"entity model {model!r} is neither an installed spaCy package nor a folder: install it "
            "or unset ASTRA_NER_MODEL"
        ) from error


def _content(folder: Path) -> str:
    """16 digits over names and bytes of the files below ``folder``, without code's leftovers and prose."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in {".pyc", ".md"}:
            total.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


def policy_of(platform: Platform, tenant_id: TenantId) -> Policy:
    """The masking policy of ``tenant_id`` as of now: its country, blocklist and every roster."""
    with platform.database.session() as session:
        country = tenants.get(session, tenant_id).country
        terms = blocklist.listing(session, tenant_id)
        rosters = artifacts.rosters(session, tenant_id)
    return _policy(platform.settings, country, ((term.term, term.action) for term in terms), rosters)


def claimed_policy(settings: Settings, claimed: looks.Claimed) -> str:
    """The fingerprint of :func:`policy_of` for one of a look: as it was kept, or made of what was fetched."""
    if claimed.policy is not None:
        return claimed.policy
    return _policy(settings, claimed.country, claimed.terms, claimed.roster).fingerprint


def _policy(
    settings: Settings, country: str, terms: Iterable[tuple[str, str]], roster: Iterable[str]
) -> Policy:
    marked = list(terms)
    return Policy(
        country=country,
        mask_terms=tuple(sorted({term for term, action in marked if action == "mask"} | set(roster))),
        allow_terms=tuple(sorted(term for term, action in marked if action == "allow")),
        model=settings.ner_model,
    )
