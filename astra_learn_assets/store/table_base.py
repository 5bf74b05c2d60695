"""What every table is made of: the declarative base, and the columns that most of them have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Computed,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    TextClause,
    TypeDecorator,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from astra_learn_assets.ids import TenantId


class TenantColumn(TypeDecorator[TenantId]):
    """``VARCHAR(63)``; what is read from it is a :class:`TenantId`."""

    impl = String(63)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """A plain string: the driver need not know of ours."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> TenantId | None:  # noqa: ARG002
        """Made here, as everywhere where an id enters."""
        return None if value is None else TenantId(value)


TENANT = TenantColumn()
SHA256 = String(64)


class Base(DeclarativeBase):
    """Declarative base; JSON columns are JSONB."""

    type_annotation_map: ClassVar = {
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        datetime: DateTime(timezone=True),
    }
    # Named by rule, so that a later migration can name what it changes.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def now() -> Mapped[datetime]:
    return mapped_column(DateTime(timezone=True), server_default=func.now())


def partial(name: str, *columns: str | TextClause, where: str, include: Sequence[str] = ()) -> Index:
    """An index of the rows alone that ``where`` holds for; ``include``: read from it as well."""
    return Index(name, *columns, postgresql_where=text(where), postgresql_include=list(include))


def computed(kind: type[TypeEngine[Any]], expression: str) -> Mapped[Any]:
    """A column that the database fills in from others of its row."""
    return mapped_column(kind, Computed(expression, persisted=True), nullable=True)


def one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def tenant(primary_key: bool = False) -> Mapped[TenantId]:
    return mapped_column(
        TENANT, ForeignKey("tenants.tenant_id"), primary_key=primary_key, index=not primary_key
    )
