"""The blocklist: names that are always masked, streets and institutions that never are."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from astra_learn_assets.api.auth import Access, CanAdminister
from astra_learn_assets.api.problems import responses
from astra_learn_assets.hotpath import blocklist_terms
from astra_learn_assets.store import blocklist, tenants

router = APIRouter(prefix="/v1/tenants/{tenant}/blocklist", tags=["blocklist"])

TermPath = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="`term_id` of the term.")]


class TermRequest(BaseModel):
    """A term to mask always (``mask``) or never (``allow``)."""

    model_config = ConfigDict(extra="forbid")

    term: str = Field(min_length=2, max_length=200)
    action: Literal["mask", "allow"] = "mask"
    kind: str = Field("person", pattern=r"^[a-z_]{1,20}$")


class Term(BaseModel):
    """A term of the blocklist; ``term_id`` names it in paths, so that no name is in a URL."""

    term_id: str
    term: str
    action: str
    kind: str


class BlocklistAnswer(BaseModel):
    """Every term of a tenant."""

    tenant_id: str
    terms: tuple[Term, ...]


@router.get("", responses=responses(404))
def read_blocklist(access: CanAdminister) -> BlocklistAnswer:
    """Every masked and allowed term."""
    return BlocklistAnswer(tenant_id=access.tenant_id, terms=listed_terms(access))


def listed_terms(access: Access) -> tuple[Term, ...]:
    """Every term of a tenant.

    Raises:
        UnknownTenant: there is no such tenant.
    """
    with access.platform.database.session() as session:
        tenants.get(session, access.tenant_id)
        rows = blocklist.listing(session, access.tenant_id)
    return tuple(
        Term(term_id=blocklist_terms.id_of_term(row.term), term=row.term, action=row.action, kind=row.kind)
        for row in rows
    )


@router.post("", responses=responses(404, 410))
def add_term(access: CanAdminister, body: TermRequest) -> Term:
    """Add a term; the same term again takes the new action."""
    with access.platform.database.session() as session:
        stored = blocklist_terms.add_term(
            session,
            access.tenant_id,
            body.term,
            action=body.action,
            kind=body.kind,
            actor=access.principal.actor,
            request_id=access.request_id,
        )
    return Term(term_id=blocklist_terms.id_of_term(stored), term=stored, action=body.action, kind=body.kind)


@router.delete("/{term_id}", responses=responses(404))
def remove_term(access: CanAdminister, term_id: TermPath) -> BlocklistAnswer:
    """Take a term out and answer what is left."""
    with access.platform.database.session() as session:
        blocklist_terms.remove_term(
            session,
            access.tenant_id,
            term_id,
            actor=access.principal.actor,
            request_id=access.request_id,
        )
    return read_blocklist(access)
