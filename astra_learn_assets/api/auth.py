"""Who is calling, and what they may do: bearer keys, roles per tenant, one scope for services.

=========  =====================================================================
viewer     reads: dictionary, learning page, comparisons of its own tenant
editor     + uploads finals, undoes dictionary entries
admin      + sessions and drafts, blocklist
platform   CORE, ORCHESTRATOR, BUILDER: an editor of every tenant that also
           registers sessions and drafts, and says what a tenant may use; makes
           tenants, tiers and maintenance; no blocklist, no municipal settings
=========  =====================================================================

Row-level security is the second wall: a request works on ``Access.platform``, whose transactions are those
of the admitted tenant, as a database role that sees no other tenant's rows.

A key of one tenant used on another is 403 whether or not the other exists, so ids cannot be probed,
and is written to the audit log. Keys are shown once and stored as SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Path, Request
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from astra_learn_assets.api.state import AppState, app_state
from astra_learn_assets.errors import BadInput, Forbidden, ForeignTenant, Unauthorized
from astra_learn_assets.hotpath.wording import told
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import api_keys, audit
from astra_learn_assets.store.db import PLATFORM_SCOPE, Database, Scope

Need = Literal["read", "edit", "register", "administer", "operate"]

_MAY: dict[str, frozenset[Need]] = {
    "viewer": frozenset({"read"}),
    "editor": frozenset({"read", "edit"}),
    "admin": frozenset({"read", "edit", "register", "administer"}),
    "platform": frozenset({"read", "edit", "register", "operate"}),
}

TenantPath = Annotated[
    str,
    Path(
        description="Id of the municipality.",
        pattern=r"^[a-z0-9](-?[a-z0-9]+)*-?$",
        min_length=2,
        max_length=63,
        examples=["villaverde"],
    ),
]
_bearer = HTTPBearer(auto_error=False, description="Key from `astra-learn key issue`.")


@dataclass(frozen=True)
class Principal:
    """The key behind a request; ``tenant_id`` None = platform scope."""

    key_id: str
    tenant_id: TenantId | None
    role: str
    label: str

    @property
    def actor(self) -> str:
        """The name in the audit log and in dictionary entries: label and key id, never the key."""
        return f"{self.label} ({self.key_id})"

    def may(self, need: Need) -> bool:
        """Whether the role covers ``need``."""
        return need in _MAY.get(self.role, frozenset())


@dataclass(frozen=True)
class Access:
    """A principal admitted to one tenant."""

    principal: Principal
    tenant_id: TenantId
    state: AppState
    request_id: str

    @property
    def platform(self) -> Platform:
        """The platform in the scope of the admitted tenant."""
        return self.state.platform.of(self.tenant_id)


@dataclass(frozen=True)
class Operator:
    """A platform key, admitted to what holds for every tenant."""

    principal: Principal
    state: AppState
    request_id: str

    @property
    def database(self) -> Database:
        """The database in the platform's scope: tiers and maintenance, and no tenant's rows."""
        return self.state.platform.database.of(PLATFORM_SCOPE)


def authenticate(state: AppState, key: str | None, request: Request) -> Principal:
    """The principal of ``key``. One that opens nothing is noted in the audit log, without the key.

    Raises:
        Unauthorized: without a key, or with one that is unknown, expired or revoked.
        TooManyRequests: the key's rate is used up, or the caller's address guesses keys.
    """
    if not key:
        raise Unauthorized("falta la clave: envíe la cabecera 'Authorization: Bearer <clave>'")
    try:
        with state.platform.database.session() as session:
            holder = api_keys.verify(session, key)
    except Unauthorized as refusal:
        state.failures.take(request.client.host if request.client else "unknown")
        _record(state, PLATFORM_SCOPE, refusal.key_id or "unknown key", refusal.code, request)
        raise
    state.limiter.take(holder.key_id)
    return Principal(holder.key_id, holder.tenant_id, holder.role, holder.label)


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def principal(request: Request, credentials: Credentials) -> Principal:
    """Dependency: the caller, whatever the tenant."""
    caller = authenticate(app_state(request), credentials.credentials if credentials else None, request)
    request.state.log = {"key": caller.key_id, "tenant": caller.tenant_id}
    _refuse_unknown_query(request)
    return caller


def _refuse_unknown_query(request: Request) -> None:
    """A misspelt ``?sinse=5`` would else be answered as if nothing had been asked for."""
    if not request.query_params:
        return
    known = _query_names(request.scope["route"].dependant)
    if not known.issuperset(request.query_params):
        allowed = f"se admite: {', '.join(sorted(known))}" if known else "esta operación no admite ninguno"
        raise told(BadInput(f"parámetro desconocido en la consulta; {allowed}"))


def _query_names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*map(_query_names, dependant.dependencies))


def admit(state: AppState, caller: Principal, asked_for: str, need: Need, request: Request) -> Access:
    """Let ``caller`` at the tenant ``asked_for``, or write the refusal to the audit log and raise.

    Raises:
        ForeignTenant: the key is of another tenant.
        Forbidden: the role does not cover ``need``.
    """
    tenant_id = TenantId(asked_for)
    request.state.log = {"key": caller.key_id, "tenant": tenant_id}
    refusal: Forbidden | None = None
    if caller.tenant_id is None and caller.role != "platform":
        refusal = told(Forbidden("clave sin municipio ni permiso de plataforma"))
    elif caller.tenant_id is not None and caller.tenant_id != tenant_id:
        refusal = told(ForeignTenant("esta clave no da acceso a ese municipio"))
    elif not caller.may(need):
        refusal = told(Forbidden(f"el papel '{caller.role}' no permite esta operación"))
    if refusal is not None:
        record_refusal(state, caller, tenant_id, refusal, request)
        raise refusal
    return Access(caller, tenant_id, state, request.state.request_id)


def record_refusal(
    state: AppState, caller: Principal, asked_for: str, refusal: Forbidden, request: Request
) -> None:
    """Write a refused access to the audit log of the caller's own tenant."""
    _record(state, caller.tenant_id or PLATFORM_SCOPE, caller.actor, f"{refusal.code}:{asked_for}", request)


def _record(state: AppState, scope: Scope, actor: str, target: str, request: Request) -> None:
    route = getattr(request.scope.get("route"), "path", "?")
    with state.platform.database.of(scope).session() as session:
        audit.record(
            session,
            tenant_id=None if scope == PLATFORM_SCOPE else scope,
            actor=actor,
            action=f"{request.method} {route}",
            target=target,
            outcome="refused",
            request_id=request.state.request_id,
        )


def need(what: Need) -> Callable[..., Access]:
    """Dependency for a route below ``/v1/tenants/{tenant}``: the admitted caller."""

    def dependency(request: Request, tenant: TenantPath, credentials: Credentials) -> Access:
        # not a dependency on `principal`: each one that may block costs a change of thread
        return admit(app_state(request), principal(request, credentials), tenant, what, request)

    return dependency


def operator(request: Request, credentials: Credentials) -> Operator:
    """Dependency for a route of no tenant: a platform key.

    Raises:
        Forbidden: any other key.
    """
    state, caller = app_state(request), principal(request, credentials)
    if caller.tenant_id is not None or not caller.may("operate"):
        refusal = told(Forbidden(f"el papel '{caller.role}' no permite esta operación"))
        record_refusal(state, caller, PLATFORM_SCOPE, refusal, request)
        raise refusal
    return Operator(caller, state, request.state.request_id)


CanRead = Annotated[Access, Depends(need("read"))]
CanEdit = Annotated[Access, Depends(need("edit"))]
CanRegister = Annotated[Access, Depends(need("register"))]
CanAdminister = Annotated[Access, Depends(need("administer"))]
CanOperate = Annotated[Access, Depends(need("operate"))]
Operates = Annotated[Operator, Depends(operator)]
