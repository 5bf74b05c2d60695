"""The panel for people: the way in, what forms may do, hostile text, odd times, two languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.ids import TenantId
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import blocklist, dictionary, documents, tenants
from astra_learn_assets.store.tables import BlocklistTerm, Tenant, TrainingRun
from astra_learn_assets_tests.api.conftest import Headers, Issue
from astra_learn_assets_tests.audit_lines import audit_lines
from astra_learn_assets_tests.browser import council
from astra_learn_assets_tests.browser.council import Town

TENANT = TenantId("villaverde")
PANEL = "/panel/villaverde"
PAGES = ("", "/trainings", "/examples", "/dictionary", "/quarantine", "/blocklist", "/privacy")


@pytest.fixture
def town(platform: Platform) -> Town:
    return council.build(platform)


def log_in(client: TestClient, key: str, tenant: str = "villaverde") -> Any:
    page = client.get(f"/panel/{tenant}")
    return client.post(f"/panel/{tenant}", data={"key": key, "csrf": token_of(page.text)})


def token_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page
    return found[1]


class Seen(HTMLParser):
    """Elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def links(self) -> Iterator[str]:
        for tag, attributes in self.elements:
            if tag == "a" and attributes.get("href"):
                yield str(attributes["href"])


# -- the way in ---------------------------------------------------------------------------------------------


def test_the_panel_asks_for_a_key_and_then_shows_the_state(client: TestClient, town: Town) -> None:
    asked = client.get(PANEL)
    assert asked.status_code == 401
    assert 'type="password"' in asked.text
    page = log_in(client, town.keys["viewer"])
    assert page.status_code == 200
    for said in (
        "¿Cómo está aprendiendo mi IA?", "Ayuntamiento de Villaverde del Río", "Paso 12 de 60",
        "Sus 4 correcciones → 1 nombre vivo en ", "3 en cola", "2,9\u00a0%", "Se perdió el proceso",
    ):  # fmt: skip
        assert said in page.text, said
    cookies = {(one.name, one.path) for one in client.cookies.jar}
    assert ("astra_key", PANEL) in cookies


def test_a_wrong_key_is_told_so_and_sets_no_cookie(client: TestClient, town: Town) -> None:
    answer = log_in(client, "astra_no")
    assert answer.status_code == 401
    assert "no es válida" in answer.text
    assert client.cookies.get("astra_key", path=PANEL) is None


def test_the_key_of_another_municipality_opens_nothing(
    client: TestClient, town: Town, issue: Issue, make_tenant: Any
) -> None:
    make_tenant("rio-claro")
    other = issue("admin", "rio-claro")["Authorization"].removeprefix("Bearer ")
    answer = log_in(client, other)
    assert answer.status_code == 403
    assert "no da acceso a este municipio" in answer.text


def test_whoever_has_only_the_address_of_the_panel_names_the_municipality(
    client: TestClient, town: Town
) -> None:
    page = client.get("/panel")
    assert page.status_code == 200
    sent = {"tenant": " Villaverde ", "key": town.keys["viewer"], "csrf": token_of(page.text)}
    answer = client.post("/panel", data=sent)
    assert (answer.status_code, answer.url.path) == (200, PANEL)
    assert client.post("/panel", data={**sent, "tenant": "a/b"}).status_code == 422


def test_the_form_for_the_key_does_nothing_when_another_site_sends_it(client: TestClient, town: Town) -> None:
    client.get(PANEL)
    for csrf in ("", "x" * 43):
        answer = client.post(PANEL, data={"key": town.keys["viewer"], "csrf": csrf})
        assert answer.status_code == 403
        assert client.cookies.get("astra_key", path=PANEL) is None


@pytest.mark.parametrize(("proto", "secure"), [(None, False), ("https", True)])
def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_only(
    client: TestClient, town: Town, proto: str | None, secure: bool
) -> None:
    headers = {"X-Forwarded-Proto": proto} if proto else {}
    token = token_of(client.get(PANEL).text)
    answer = client.post(
        PANEL, data={"key": town.keys["viewer"], "csrf": token}, headers=headers, follow_redirects=False
    )
    assert answer.status_code == 303
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("astra_key="))
    assert ("Secure" in cookie) == secure
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert f"Path={PANEL}" in cookie


def test_who_logs_out_is_asked_for_the_key_again(client: TestClient, town: Town) -> None:
    page = log_in(client, town.keys["viewer"])
    assert client.post(f"{PANEL}/logout", data={"csrf": token_of(page.text)}).status_code == 401
    assert client.get(PANEL).status_code == 401


# -- what forms may do --------------------------------------------------------------------------------------


def names(platform: Platform) -> set[str]:
    with platform.database.session() as session:
        return {entry.wrong for entry in dictionary.read(session, TENANT)[1]}


def entry_id(page: str) -> str:
    found = re.search(r"/dictionary/([0-9a-f]{16})/undo", page)
    assert found
    return found[1]


def test_a_name_is_undone_by_a_form_and_the_history_says_by_whom(
    client: TestClient, town: Town, platform: Platform
) -> None:
    log_in(client, town.keys["editor"])
    page = client.get(f"{PANEL}/dictionary", params={"q": "HORTEGG"}).text
    assert "Zubeldía" not in page.partition("Historia")[0]
    done = client.post(f"{PANEL}/dictionary/{entry_id(page)}/undo", data={"csrf": token_of(page)})
    assert done.status_code == 200
    assert "La entrada se ha retirado" in done.text
    assert names(platform) == {"Zubeldía"}
    assert re.search(r"se retiró.*marta \(key-", done.text, re.DOTALL)


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_its_token_does_nothing(
    client: TestClient, town: Town, platform: Platform, token: str
) -> None:
    log_in(client, town.keys["admin"])
    page = client.get(f"{PANEL}/dictionary").text
    before = names(platform)
    for path, more in (
        (f"/dictionary/{entry_id(page)}/undo", {}),
        (f"/quarantine/{town.kept_out}/release", {}),
        (f"/quarantine/{town.kept_out}/drop", {}),
        ("/blocklist", {"term": "Ana Ruiz"}),
        ("/logout", {}),
    ):
        answer = client.post(f"{PANEL}{path}", data={"csrf": token, **more})
        assert answer.status_code == 403, path
        assert "No se ha hecho nada" in answer.text
    assert names(platform) == before
    with platform.database.session() as session:
        assert documents.get(session, TENANT, town.kept_out).review is None
        assert "Ana Ruiz" not in {row.term for row in blocklist.listing(session, TENANT)}


def test_the_token_of_one_key_is_none_of_another(client: TestClient, town: Town, platform: Platform) -> None:
    log_in(client, town.keys["editor"])
    token = token_of(client.get(f"{PANEL}/dictionary").text)
    client.cookies.clear()
    log_in(client, town.keys["admin"])
    page = client.get(f"{PANEL}/dictionary").text
    assert client.post(f"{PANEL}/dictionary/{entry_id(page)}/undo", data={"csrf": token}).status_code == 403
    assert len(names(platform)) == 2


def test_a_document_is_released_by_the_administrator_alone(
    client: TestClient, town: Town, platform: Platform
) -> None:
    log_in(client, town.keys["editor"])
    page = client.get(f"{PANEL}/quarantine").text
    assert "demasiados cambios" in page
    assert "/release" not in page
    url = f"{PANEL}/quarantine/{town.kept_out}/release"
    assert client.post(url, data={"csrf": token_of(page)}).status_code == 403
    client.cookies.clear()
    log_in(client, town.keys["admin"])
    page = client.get(f"{PANEL}/quarantine").text
    assert url in page
    done = client.post(url, data={"csrf": token_of(page)})
    assert "El acta se ha admitido" in done.text
    with platform.database.session() as session:
        assert documents.get(session, TENANT, town.kept_out).state == "compared"
        lines = audit_lines(session, "villaverde")
    assert any(row.action == "quarantine.release" and row.actor.startswith("secretaría") for row in lines)
    again = client.post(url, data={"csrf": token_of(done.text)})
    assert (again.status_code, "no cuadra" in again.text) == (409, True)


def test_protected_names_are_shown_to_the_administrator_alone(
    client: TestClient, town: Town, platform: Platform
) -> None:
    log_in(client, town.keys["viewer"])
    assert "Carmen Villalobos" not in client.get(f"{PANEL}/blocklist").text
    client.cookies.clear()
    log_in(client, town.keys["admin"])
    page = client.get(f"{PANEL}/blocklist").text
    assert "Carmen Villalobos" in page
    sent = {"term": "Ana Ruiz", "action": "mask", "kind": "person", "csrf": token_of(page)}
    added = client.post(f"{PANEL}/blocklist", data=sent)
    assert "Ana Ruiz" in added.text
    wrong = client.post(f"{PANEL}/blocklist", data={**sent, "term": "\u202ex"})
    assert (wrong.status_code, "término no válido" in wrong.text) == (422, True)
    for found in re.findall(r"/blocklist/([0-9a-f]{16})/remove", added.text):
        client.post(f"{PANEL}/blocklist/{found}/remove", data={"csrf": token_of(page)})
    with platform.database.session() as session:
        assert session.scalars(sa.select(BlocklistTerm)).all() == []


# -- hostile text, odd times, long histories ----------------------------------------------------------------

SCRIPT = "<script>alert(1)</script>"
RIGHT_TO_LEFT = "Ana \u202egnilleuq\u202c Ruiz"
LONG = "a" * 10_000


@pytest.fixture
def hostile(platform: Platform, town: Town) -> Town:
    """The same municipality, with everything that people type turned against us."""
    now = datetime.now(UTC)
    with platform.database.session() as session:
        session.execute(sa.update(Tenant).values(display_name=f"{SCRIPT}{RIGHT_TO_LEFT}{LONG}"))
        entry = DictionaryEntry(
            wrong=SCRIPT, right=RIGHT_TO_LEFT, kind="person", source_document="d", author=f"{SCRIPT}{LONG}",
            created_at=now,
        )  # fmt: skip
        dictionary.apply(session, TENANT, [entry])
        documents.record(
            session, TENANT, document_id=town.kept_out, artifact_id=town.kept_out, state="quarantined",
            reason=f"{SCRIPT}{RIGHT_TO_LEFT}{LONG}", diff_sha256="d" * 64,
        )  # fmt: skip
        session.execute(
            sa.update(TrainingRun).values(
                reason=f"{SCRIPT}{RIGHT_TO_LEFT}{LONG}",
                metrics=sa.cast(
                    {"wer": {"candidate_wer": 0.03, "reason_es": f"{SCRIPT}{RIGHT_TO_LEFT}{LONG}"}},
                    TrainingRun.metrics.type,
                ),
            )
        )
        tenants.pause(session, TENANT, "<b>pausa</b>", now)
    return town


def test_hostile_names_are_shown_as_text_bounded_and_with_their_marks_visible(
    client: TestClient, hostile: Town
) -> None:
    log_in(client, hostile.keys["admin"])
    shown = ""
    for path in (*PAGES, f"/trainings/{hostile.promoted}", "/quarantine?lang=en", "/dictionary?q=<script>"):
        page = client.get(f"{PANEL}{path}")
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text, path
        assert "\u202e" not in page.text, path
        assert "a" * 1_100 not in page.text, path
        assert len(page.text) < 120_000, path
        scripts = [attributes for tag, attributes in Seen(page.text).elements if tag == "script"]
        assert all(attributes.get("src") == "/static/panel.js" for attributes in scripts), path
        shown += page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "⟨U+202E⟩" in shown
    assert "(10" in shown, "how long it was is said"


def test_a_run_that_never_ends_and_a_clock_that_is_wrong_are_said_plainly(
    client: TestClient, town: Town, platform: Platform
) -> None:
    with platform.database.session() as session:
        long_ago, ahead = datetime.now(UTC) - timedelta(hours=75), datetime.now(UTC) + timedelta(hours=3)
        runs = sa.update(TrainingRun)
        session.execute(runs.where(TrainingRun.run_id == town.running).values(created_at=long_ago))
        session.execute(runs.where(TrainingRun.run_id == town.promoted).values(finished_at=ahead))
    log_in(client, town.keys["viewer"])
    page = client.get(f"{PANEL}/trainings").text
    assert "Lleva más de 75 horas en marcha" in page
    assert "va adelantado" in page
    english = client.get(f"{PANEL}/trainings", params={"lang": "en"}).text
    assert "running for more than 75 hours" in english


def test_a_long_history_comes_in_pages(client: TestClient, town: Town, platform: Platform) -> None:
    with platform.database.session() as session:
        entries = [
            DictionaryEntry(
                wrong=f"Zubirolea{one}", right=f"Zubirolia{one}", kind="person", source_document="d",
                author="a", created_at=datetime.now(UTC),
            )
            for one in range(120)
        ]  # fmt: skip
        dictionary.apply(session, TENANT, entries)
    log_in(client, town.keys["viewer"])
    first = client.get(f"{PANEL}/dictionary").text
    assert first.count("<tr>") < 110
    seen = set(re.findall(r"Zubirolea\d+", first))
    links = [link for link in Seen(first).links() if link.startswith("?")]
    assert any("start=50" in link for link in links)
    assert any("older=" in link for link in links)
    for link in links:
        page = client.get(f"{PANEL}/dictionary{link.replace('#history', '')}")
        assert page.status_code == 200
        seen |= set(re.findall(r"Zubirolea\d+", page.text))
    assert len(seen) > 100
    assert client.get(f"{PANEL}/trainings", params={"cursor": "nonsense"}).status_code == 422


# -- two languages, no inline anything, doors that lead somewhere ------------------------------------------


def test_spanish_comes_first_and_english_by_a_switch_that_is_remembered(
    client: TestClient, town: Town
) -> None:
    log_in(client, town.keys["viewer"])
    assert '<html lang="es">' in client.get(PANEL, headers={"Accept-Language": "en"}).text
    english = client.get(PANEL, params={"lang": "en"})
    assert '<html lang="en">' in english.text
    assert "How is my AI learning?" in english.text
    assert "Your 4 corrections → 1 name live in " in english.text
    assert '<html lang="en">' in client.get(f"{PANEL}/privacy").text
    assert '<html lang="es">' in client.get(f"{PANEL}/privacy", params={"lang": "es"}).text
    assert '<html lang="es">' in client.get(f"{PANEL}/privacy", params={"lang": "<script>"}).text


def test_no_page_has_a_script_or_a_style_of_its_own(client: TestClient, town: Town) -> None:
    log_in(client, town.keys["admin"])
    pages = [
        f"{PANEL}{path}" for path in (*PAGES, f"/trainings/{town.running}", f"/trainings/{town.promoted}")
    ]
    for path in (*pages, "/", "/docs", "/panel"):
        page = client.get(path)
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        for tag, attributes in Seen(page.text).elements:
            assert tag not in ("style", "iframe", "object", "embed", "base"), path
            assert "style" not in attributes, (path, tag)
            assert not [name for name in attributes if name.startswith("on")], (path, tag)
            for name in ("src", "href", "action"):
                target = attributes.get(name) or ""
                assert not target.startswith(("javascript:", "data:", "//")), (path, target)
                assert target.startswith(("/", "?", "#", "")), target
                assert tag == "a" or "://" not in target, (path, target)


def test_a_page_to_be_kept_carries_its_style_and_names_its_digest(client: TestClient, town: Town) -> None:
    log_in(client, town.keys["viewer"])
    page = client.get(f"{PANEL}/privacy/report")
    assert page.status_code == 200
    assert "<style>" in page.text
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]{44}'", page.headers["content-security-policy"])
    assert "unsafe" not in page.headers["content-security-policy"]


def test_every_door_and_every_link_leads_somewhere(client: TestClient, town: Town) -> None:
    log_in(client, town.keys["admin"])
    for path in ("/", "/panel", "/docs", *(f"{PANEL}{path}" for path in PAGES)):
        page = client.get(path)
        assert page.status_code == 200, path
        for link in Seen(page.text).links():
            if link.startswith("#"):
                assert f'id="{link[1:]}"' in page.text, (path, link)
            elif "/verdicts/" not in link:  # the council's verdicts have figures and no page
                target = f"{path}{link}" if link.startswith("?") else link
                assert client.get(target.partition("#")[0]).status_code == 200, (path, link)


def test_the_browsable_api_names_every_operation(client: TestClient) -> None:
    page = client.get("/docs").text
    for path, item in client.get("/openapi.json").json()["paths"].items():
        assert path in page
        for method in item:
            assert f"{method.upper()}</code> <code>{path}</code>" in page


@pytest.mark.parametrize("name", ["../app.py", "panel.py", "texts_es.txt", "", "..%2f..%2fapp.py"])
def test_no_other_file_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_program_with_the_key_in_its_header_reads_the_panel_too(client: TestClient, town: Town) -> None:
    headers: Headers = {"Authorization": f"Bearer {town.keys['viewer']}"}
    assert client.get(PANEL, headers=headers).status_code == 200
    table = client.get(f"{PANEL}/exports/dictionary.csv", headers=headers)
    assert table.content.startswith(b"\xef\xbb\xbf"), "for people: a spreadsheet reads the accents right"
    assert client.get(f"{PANEL}/exports/keys.csv", headers=headers).status_code == 404


def test_the_examples_are_those_that_the_privacy_gate_passed(
    client: TestClient, town: Town, platform: Platform
) -> None:
    log_in(client, town.keys["viewer"])
    assert "Todavía no hay ejemplos aprobados" in client.get(f"{PANEL}/examples").text
