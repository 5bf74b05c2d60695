"""Tenants: the rows everything hangs on."""

from __future__ import annotations

import pytest

from astra_learn_assets.errors import AlreadyExists, BadInput, InvalidTenantId, UnknownTenant
from astra_learn_assets.platform import Platform
from astra_learn_assets.privacy.identifiers.countries import country_packs
from astra_learn_assets.store import tenants
from astra_learn_assets_tests.conftest import MakeTenant


@pytest.mark.parametrize("bad", ["", "a", "A", "a/b", "../x", "a\n", "a--b", "é" * 3, "replay", "x" * 64])
def test_an_id_that_is_malformed_or_reserved_makes_no_tenant(
    platform: Platform, make_tenant: MakeTenant, bad: str
) -> None:
    with pytest.raises(InvalidTenantId):
        make_tenant(bad)
    with platform.database.session() as session:
        assert tenants.list_all(session) == []


def test_the_same_id_is_never_given_twice(platform: Platform, make_tenant: MakeTenant) -> None:
    first = make_tenant("villaverde", display_name="Villaverde")
    with pytest.raises(AlreadyExists):
        make_tenant("villaverde", display_name="Otra")
    with platform.database.session() as session:
        assert tenants.get(session, "villaverde").wrapped_key == first.wrapped_key
        assert tenants.get(session, "villaverde").display_name == "Villaverde"


@pytest.mark.parametrize("country", ["ES", "esp", "", "e1", "éé"])
def test_a_country_is_two_lower_case_letters(make_tenant: MakeTenant, country: str) -> None:
    with pytest.raises(BadInput):
        make_tenant("villaverde", country=country)


def test_a_country_without_a_pack_makes_no_tenant_whoever_asks(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    """Whatever makes tenants goes through here: the command line today, a route of the API tomorrow."""
    with pytest.raises(BadInput, match=f"no country pack 'zz': use one of {', '.join(country_packs())}"):
        make_tenant("villaverde", country="zz")
    with platform.database.session() as session:
        assert tenants.list_all(session) == []
    for country in country_packs():
        assert make_tenant(f"pueblo-{country}", country=country).country == country


def test_an_unknown_tenant_is_named_in_the_error(platform: Platform) -> None:
    with platform.database.session() as session, pytest.raises(UnknownTenant, match="nowhere"):
        tenants.get(session, "nowhere")


def test_tenants_are_listed_by_id(platform: Platform, make_tenant: MakeTenant) -> None:
    for name in ("zeta", "alfa", "medio"):
        make_tenant(name)
    with platform.database.session() as session:
        assert [row.tenant_id for row in tenants.list_all(session)] == ["alfa", "medio", "zeta"]
