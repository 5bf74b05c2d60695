"""Who asked to be told is told: once, signed, in Spanish, without a name; and again when nobody answers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from typer.testing import CliRunner

from astra_learn_assets.automation import sensors
from astra_learn_assets.cli import app
from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.errors import (
    AlreadyExists,
    BadConfiguration,
    BadInput,
    DecryptionFailed,
    NotFound,
    TenantErased,
    Unavailable,
    UnknownTenant,
)
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import promoter
from astra_learn_assets.learning.telling import delivery, destination, mail, message, webhook
from astra_learn_assets.learning.training import plan
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import export_env
from astra_learn_assets.settings import REPOSITORY, Settings, get_settings
from astra_learn_assets.store import (
    artifacts,
    documents,
    erasure,
    outbox,
    subscriptions,
    tenants,
    verdicts,
)
from astra_learn_assets.store.learning_tables import Subscription
from astra_learn_assets.store.subscriptions import PAUSES, Notice
from astra_learn_assets.store.tables import ExampleRow, Outbox, TrainingRun
from astra_learn_assets_tests.conftest import MakeTenant
from astra_learn_assets_tests.registry.test_promoter import _judge, _publish
from astra_learn_assets_tests.telling.receivers import (
    Mailbox,
    Webhooks,
    certificate,
    dripping,
    smtp_server,
    webhooks,
)

TENANT = TenantId("villaverde")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "notify_private_addresses": True,
            "api_url": "https://astra.example/",
            "mlflow_tracking_uri": None,
        }
    )


@pytest.fixture
def receiver() -> Iterator[Webhooks]:
    with webhooks() as kept:
        yield kept


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp_server() as box:
        yield box


def _with_mail(platform: Platform, box: Mailbox) -> None:
    platform.settings = platform.settings.model_copy(
        update={
            "smtp_url": SecretStr(f"smtp+plain://127.0.0.1:{box.port}"),
            "smtp_from": "astra@proveedor.example",
        }
    )


def _subscribe(platform: Platform, url: str, *events: str, tenant: TenantId = TENANT) -> delivery.Subscribed:
    chosen = events or subscriptions.EVENTS
    return delivery.subscribe(platform, tenant, url=url, events=chosen, actor="test")


def _tell(platform: Platform, event: str = "promotion", **facts: Any) -> None:
    with platform.database.session() as session:
        subscriptions.tell(session, TENANT, event, facts)


def _bodies(receiver: Webhooks) -> list[dict[str, Any]]:
    return [json.loads(body) for _, _, body in receiver.requests]


def _is_ours() -> Any:
    """The example of docs/notices.md, as a reader would copy it."""
    text = (REPOSITORY / "docs" / "notices.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(code, scope)
    assert scope["WINDOW_SECONDS"] == webhook.WINDOW_SECONDS
    return scope["is_ours"]


def test_the_documents_example_accepts_what_is_sent_and_nothing_that_was_changed(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tenant()
    secret = _subscribe(platform, receiver.url).secret
    assert secret is not None
    _tell(platform, adapter_id="villaverde--0123456789abcdef")
    assert delivery.deliver(platform) == delivery.Delivered(sent=1)
    ((path, headers, body),) = receiver.requests
    assert path == "/astra?a=1"
    is_ours = _is_ours()
    seen: set[str] = set()
    assert not is_ours("whsec_other", headers, body, seen)
    assert not is_ours(secret, headers, body.replace(b"promotion", b"rejection"), seen)
    later = {**headers, "Astra-Timestamp": str(int(headers["Astra-Timestamp"]) + 1)}
    assert not is_ours(secret, later, body, seen)
    for broken in ({}, {**headers, "Astra-Signature": ""}, {**headers, "Astra-Signature": "v1=ñ"}):
        assert not is_ours(secret, broken, body, seen)
    assert is_ours(secret, headers, body, seen)
    assert not is_ours(secret, headers, body, seen), "a copy of what was there before"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + webhook.WINDOW_SECONDS + 5)
    assert not is_ours(secret, headers, body, set()), "a copy that is too old"


def test_a_message_is_spanish_and_holds_ids_and_figures_alone(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant(display_name="Ayuntamiento de Lucía Ortega Prado")
    _subscribe(platform, receiver.url)
    _tell(platform, "promotion", adapter_id="villaverde--0123456789abcdef", before=None)
    delivery.deliver(platform)
    (body,) = _bodies(receiver)
    assert body.keys() == {
        "schema", "notice_id", "tenant_id", "event", "happened_at", "subject", "text", "facts", "link",
    }  # fmt: skip
    assert body["subject"] == "[villaverde] Su modelo ha mejorado"
    assert body["text"].startswith("El modelo villaverde--0123456789abcdef ha superado")
    assert body["link"] == "https://astra.example/panel/villaverde"
    assert "Lucía" not in json.dumps(body, ensure_ascii=False)


WORDS: list[tuple[str, dict[str, Any], str]] = [
    (
        "rollback",
        {"adapter_id": None, "before": "v--1"},
        "El modelo v--1 ya no está en servicio; ahora trabaja el modelo general.",
    ),
    (
        "hold",
        {"adapter_id": "v--1", "why": "La prueba tiene 40 palabras."},
        "sigue el que había. Motivo: La prueba tiene 40 palabras.",
    ),
    (
        "rejection",
        {"adapter_id": "v--1", "why": None},
        "El modelo v--1 no entra en servicio; sigue el que había.",
    ),
    ("quarantine", {"documents": 1}, "Se ha apartado un acta. De ella no se aprende nada"),
    ("quarantine", {"documents": 3}, "Se han apartado 3 actas. De ellas no se aprende nada"),
    (
        "budget",
        {"what": "quota", "used": 7, "of": 7, "until": "2026-12-03T08:30+00:00"},
        "(7 de 7). Las correcciones se siguen guardando",
    ),
    (
        "budget",
        {"what": "budget", "used": 61, "of": 60, "until": "2026-12-01T00:00+00:00"},
        "a partir del 01/12/2026 a las 00:00 UTC",
    ),
    ("test", {}, "No tiene que hacer nada"),
]


@pytest.mark.parametrize(("event", "facts", "said"), WORDS)
def test_every_event_has_its_words(event: str, facts: dict[str, Any], said: str) -> None:
    notice = Notice(
        1,
        "0b6c2f1e-6a53-4f0c-9d57-2f6d1c6b8a40",
        TENANT,
        event,
        facts,
        datetime(2026, 11, 30, tzinfo=UTC),
        1,
        "sub-1",
        "email",
        "a@b.example",
        None,
        "",
    )
    made = message.of_notice(notice, api_url=None)
    assert said in made.text
    assert made.subject.startswith("[villaverde] ")
    assert "None" not in made.subject + made.text
    assert made.link is None


def test_promotion_and_rollback_are_told_with_the_change_itself(
    town: Platform,
    tmp_path: Path,
    receiver: Webhooks,
) -> None:
    _subscribe(town, receiver.url)
    first, second = (_publish(town, tmp_path, seed) for seed in (1, 2))
    for row in (first, second):
        _judge(town, row)
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")
        promoter.promote(town, TENANT, row.adapter_id, promoted_by="test")  # again: nothing happens
    promoter.rollback(town, TENANT, by="test")
    promoter.rollback(town, TENANT, by="test", to="base")
    promoter.rollback(town, TENANT, by="test", to="base")
    assert delivery.deliver(town).sent == 4
    told = [(body["event"], body["facts"]["adapter_id"]) for body in _bodies(receiver)]
    assert told == [
        ("promotion", first.adapter_id),
        ("promotion", second.adapter_id),
        ("rollback", first.adapter_id),
        ("rollback", None),
    ]


def test_a_promotion_that_is_not_committed_tells_nobody(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    _subscribe(platform, receiver.url)
    with platform.database.session() as session:
        subscriptions.tell(session, TENANT, "promotion", {})
        session.rollback()
    assert delivery.deliver(platform) == delivery.Delivered()


def test_a_verdict_is_told_once_however_often_the_gate_is_asked(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    _subscribe(platform, receiver.url)
    held = GateVerdict(
        gate="wer_gate", tenant_id=TENANT, digest="a" * 64, passed=False, reason="on hold: …",
        details={"outcome": "hold", "reason_es": "La prueba tiene 40 palabras de 2 actas."},
    )  # fmt: skip
    rejected = held.model_copy(update={"details": {"outcome": "reject", "reason_es": "Es peor."}})
    passed = held.model_copy(update={"passed": True, "details": {"outcome": "promote"}})
    erased = held.model_copy(update={"gate": "adapter_gate", "details": {"outcome": "erased"}})
    of_text = held.model_copy(update={"gate": "pii_gate", "details": {}})
    for verdict in (held, held, rejected, rejected, passed, erased, of_text):
        with platform.database.session() as session:
            verdicts.record(session, verdict)
    delivery.deliver(platform)
    assert [(body["event"], body["facts"]["why"]) for body in _bodies(receiver)] == [
        ("hold", "La prueba tiene 40 palabras de 2 actas."),
        ("rejection", "Es peor."),
    ]


def test_documents_kept_out_in_one_go_are_one_message_with_their_number(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    _subscribe(platform, receiver.url, "quarantine")
    with platform.database.session() as session:
        names = _finals(session, 5)
        for name in names[:4]:
            documents.record(
                session,
                TENANT,
                document_id=name,
                artifact_id=name,
                state="quarantined",
                reason="Lucía Ortega",
            )
        documents.record(session, TENANT, document_id=names[4], artifact_id=names[4], state="compared")
    with platform.database.session() as session:  # tried again and kept out again: no news
        documents.record(
            session, TENANT, document_id=names[0], artifact_id=names[0], state="quarantined", reason="again"
        )
    assert delivery.deliver(platform) == delivery.Delivered(), "those of ten minutes are waited for"
    delivery.deliver(platform, now=datetime.now(UTC) + subscriptions.GATHERING)
    (body,) = _bodies(receiver)
    assert body["facts"] == {"documents": 4}
    assert body["subject"] == "[villaverde] Se han apartado 4 actas"
    sent = json.dumps(body, ensure_ascii=False)
    assert "Lucía" not in sent
    assert not [name for name in names if name in sent]


def _finals(session: Any, count: int) -> list[str]:
    made = []
    for number in range(count):
        place: dict[str, Any] = {"session_id": f"pleno-{number}", "version": 1}
        artifacts.register_session(session, TENANT, **place)
        digest = f"{number:064x}"
        place |= {"kind": "final", "uri": f"x/{digest}", "sha256": digest}
        row, _ = artifacts.add_artifact(session, TENANT, **place)
        made.append(row.artifact_id)
    session.flush()
    return made


def test_a_used_up_week_is_told_once_and_again_in_the_week_after(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    _subscribe(platform, receiver.url, "budget")
    now = datetime.now(UTC)
    with platform.database.session() as session:
        tenants.allow(session, TENANT, weekly_quota=1)
        session.add(_trained("r-1", now))
        for number in range(3):
            row = ExampleRow(tenant_id=TENANT, example_id=f"{number:064x}", document_id="d", route=1)
            session.add(row)
    for _ in range(3):
        plan.look(platform, lambda rows: {}, now=now)
    delivery.deliver(platform)
    (body,) = _bodies(receiver)
    assert body["facts"]["what"] == "quota"
    assert (body["facts"]["used"], body["facts"]["of"]) == (1, 1)
    assert "los entrenamientos de esta semana (1 de 1)" in body["text"]
    later = now + timedelta(days=8)
    plan.look(platform, lambda rows: {}, now=later)
    with platform.database.session() as session:
        session.add(_trained("r-2", later))
    for _ in range(3):
        plan.look(platform, lambda rows: {}, now=later)
    delivery.deliver(platform)
    assert [one["event"] for one in _bodies(receiver)] == ["budget", "budget"]


def _trained(run_id: str, when: datetime) -> TrainingRun:
    return TrainingRun(
        run_id=run_id,
        tenant_id=TENANT,
        attempt=int(run_id[-1]),
        through_seq=0,
        state="promoted",
        dataset_hash="d" * 64,
        finished_at=when,
        created_at=when,
    )


def test_who_does_not_answer_is_asked_again_later_and_given_up_in_the_end(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    made = _subscribe(platform, receiver.url)
    receiver.answers = [500, 302, 404] + [503] * 20
    _tell(platform)
    _tell(platform, "rejection")
    now = datetime.now(UTC)
    assert delivery.deliver(platform, now=now) == delivery.Delivered(waiting=1)
    assert len(receiver.requests) == 1, "its other notices wait as long"
    assert delivery.deliver(platform, now=now + timedelta(seconds=50)) == delivery.Delivered()
    spent = timedelta()
    for pause in PAUSES:
        spent += pause
        delivery.deliver(platform, now=now + spent + timedelta(seconds=1))
    ids = [body["notice_id"] for body in _bodies(receiver)]
    # no redirect is followed; the second has waited as long and is given up with the first
    assert len(receiver.requests) == 1 + len(PAUSES)
    assert len(set(ids)) == 1
    for _ in range(40):
        spent += timedelta(days=1)
        delivery.deliver(platform, now=now + spent)
    with platform.database.session() as session:
        rows = session.scalars(sa.select(Outbox)).all()
        given_up = {(row.attempts, row.error) for row in rows}
        assert given_up == {(n, "the webhook answered 503") for n in (0, 1 + len(PAUSES))}
        assert all(row.published_at is not None for row in rows)
        row = session.get(Subscription, (TENANT, made.subscription_id))
        assert row is not None
        assert row.failing_since is not None
        assert outbox.purge(session, timedelta()) == 2
    receiver.answers = []
    _tell(platform)
    assert delivery.deliver(platform).sent == 1
    with platform.database.session() as session:
        row = session.get(Subscription, (TENANT, made.subscription_id))
        assert row is not None
        assert (row.failing_since, row.error) == (None, None)


def test_a_dead_receivers_queue_ends_with_its_oldest_notice_and_keeps_what_is_newer(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    _subscribe(platform, "http://127.0.0.1:9/closed")
    for _ in range(4):
        _tell(platform)
    now = datetime.now(UTC) + timedelta(seconds=1)
    whole = sum(PAUSES, timedelta())
    with platform.database.session() as session:
        first, *_, newest = session.scalars(sa.select(Outbox).order_by(Outbox.event_id)).all()
        first.attempts = len(PAUSES)  # all but the last
        first.due_at = now - timedelta(hours=1)
        newest.created_at = now + whole
    later = now + whole + timedelta(seconds=1)
    assert delivery.deliver(platform, now=later) == delivery.Delivered(given_up=3)
    with platform.database.session() as session:
        assert list(subscriptions.waiting(session, TENANT).values()) == [1]


def test_a_dead_receiver_holds_nobody_else_back(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    _subscribe(platform, "http://127.0.0.1:9/closed")
    _subscribe(platform, receiver.url)
    for _ in range(3):
        _tell(platform)
    assert delivery.deliver(platform) == delivery.Delivered(sent=3, waiting=1)


def test_a_receiver_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 1.0)
    with dripping() as port:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="does not answer"):
            webhook.send(f"http://127.0.0.1:{port}/", {"notice_id": 1}, secret=b"s", private=True)
        assert time.monotonic() - started < 5


def test_a_receiver_that_drips_in_the_handshake_is_cut_off_as_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 1.0)
    monkeypatch.setattr(webhook, "_CONNECT_SECONDS", 30.0)
    with dripping(b"\x16\x03\x03\x40\x00") as port:  # a record of 16 KiB, byte by byte
        started = time.monotonic()
        with pytest.raises(Unavailable, match="does not answer"):
            webhook.send(f"https://127.0.0.1:{port}/", {"notice_id": 1}, secret=b"s", private=True)
        assert time.monotonic() - started < 5


def test_an_exchange_cut_before_there_is_a_connection_does_not_begin(receiver: Webhooks) -> None:
    connection = webhook._Pinned(destination.resolve(receiver.url, private=True))
    connection.cut()
    with pytest.raises(TimeoutError):
        connection.request("POST", "/", b"{}")
    connection.close()
    assert receiver.requests == []


def test_a_process_killed_while_it_sends_sends_again(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    _subscribe(platform, receiver.url)
    _tell(platform)
    now = datetime.now(UTC)
    with platform.database.session() as session:
        assert subscriptions.claim(session, now) is not None  # and here it dies
    assert delivery.deliver(platform, now=now) == delivery.Delivered()
    assert delivery.deliver(platform, now=now + subscriptions.LEASE) == delivery.Delivered(sent=1)


def test_notices_never_go_to_redis_and_are_no_backlog_of_it(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    make_tenant()
    _subscribe(platform, "http://127.0.0.1:9/closed")
    _tell(platform)
    assert outbox.relay(platform.database, platform.redis) == 0
    with platform.database.session() as session:
        assert outbox.backlog(session) == 0
        assert list(subscriptions.waiting(session, TENANT).values()) == [1]


def test_nobody_hears_of_another_municipality_or_of_what_he_did_not_ask_for(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    make_tenant("otra-villa")
    _subscribe(platform, receiver.url, tenant=TenantId("otra-villa"))
    _subscribe(platform, receiver.url, "hold")
    _tell(platform, "promotion")
    assert delivery.deliver(platform) == delivery.Delivered()


def test_a_mail_is_spanish_and_the_same_mail_however_often_it_is_sent(
    platform: Platform, make_tenant: MakeTenant, mailbox: Mailbox
) -> None:
    make_tenant()
    _with_mail(platform, mailbox)
    made = delivery.subscribe(platform, TENANT, email="secretaria@villaverde.example", actor="test")
    assert made.secret is None
    _tell(platform, "rollback", adapter_id=None, before="villaverde--0123456789abcdef")
    assert delivery.deliver(platform) == delivery.Delivered(sent=1)
    ((sender, to, sent),) = mailbox.mails
    assert (sender, to) == ("astra@proveedor.example", ["secretaria@villaverde.example"])
    assert sent["Subject"] == "[villaverde] Se ha vuelto a un modelo anterior"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f-]{36}@proveedor\.example>", sent["Message-ID"])
    text = sent.get_content()
    assert "ahora trabaja el modelo general." in text
    assert "https://astra.example/panel/villaverde" in text


def test_mail_is_not_sent_without_encryption_unless_the_url_says_so(
    platform: Platform, make_tenant: MakeTenant, mailbox: Mailbox
) -> None:
    make_tenant()
    _with_mail(platform, mailbox)
    delivery.subscribe(platform, TENANT, email="a@villaverde.example", actor="test")
    platform.settings = platform.settings.model_copy(
        update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{mailbox.port}")}
    )
    _tell(platform)
    assert delivery.deliver(platform) == delivery.Delivered(waiting=1)
    assert mailbox.mails == []
    with platform.database.session() as session:
        (row,) = subscriptions.listing(session, TENANT)
        assert row.error == "the mail server offers no STARTTLS or no login"


def test_a_webhook_whose_certificate_nobody_has_signed_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path, "localhost")
    with webhooks(pem) as receiver:
        url = f"https://localhost:{receiver.port}/astra"
        with pytest.raises(Unavailable, match="certificate is not valid: self-signed"):
            webhook.send(url, {"notice_id": 1}, secret=b"s", private=True)
        assert receiver.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))  # now somebody vouches for it
        webhook.send(url, {"notice_id": 1}, secret=b"s", private=True)
        assert len(receiver.requests) == 1
        with pytest.raises(Unavailable, match="certificate is not valid"):  # and for this name alone
            webhook.send(url.replace("localhost", "127.0.0.1"), {"notice_id": 1}, secret=b"s", private=True)


def test_mail_goes_encrypted_to_a_server_that_somebody_vouches_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path, "localhost")
    notice = Notice(
        1,
        "0b6c2f1e-6a53-4f0c-9d57-2f6d1c6b8a40",
        TENANT,
        "test",
        {},
        datetime(2026, 11, 30, tzinfo=UTC),
        1,
        "sub-1",
        "email",
        "a@b.example",
        None,
        "",
    )
    said = message.of_notice(notice, api_url=None)
    with smtp_server(pem) as box:
        through = mail.MailServer("smtp", "localhost", box.port, None, None, "astra@proveedor.example")
        with pytest.raises(Unavailable, match="SSLCertVerificationError"):
            mail.send(said, to="a@b.example", through=through)
        assert box.mails == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        mail.send(said, to="a@b.example", through=through)
        assert box.secured == 1
        assert len(box.mails) == 1


def test_a_mail_server_that_refuses_is_asked_again(
    platform: Platform, make_tenant: MakeTenant, mailbox: Mailbox
) -> None:
    make_tenant()
    _with_mail(platform, mailbox)
    delivery.subscribe(platform, TENANT, email="a@villaverde.example", actor="test")
    mailbox.refuses = 550
    _tell(platform)
    now = datetime.now(UTC)
    assert delivery.deliver(platform, now=now) == delivery.Delivered(waiting=1)
    with platform.database.session() as session:
        (row,) = subscriptions.listing(session, TENANT)
        assert row.error == "the mail server refused the address with 550"
    mailbox.refuses = None
    assert delivery.deliver(platform, now=now + PAUSES[0]) == delivery.Delivered(sent=1)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://astra:contrase%C3%B1a@127.0.0.1", "must be ASCII"),
        ("smtp://a%FFstra:x@127.0.0.1", "must be ASCII"),
        ("smtp://correo..villaverde.example", "host that cannot be"),
        ("smtp://.example", "host that cannot be"),
        ("smtp://" + "a" * 64 + ".example", "host that cannot be"),
        ("smtp://correo.ayuntamiento-ñ.example", "host that cannot be"),
        ("smtp://correo.example:70000", "cannot be read"),
        ("http://correo.example", "must be smtp://"),
    ],
)
def test_a_mail_server_that_cannot_work_is_refused_with_a_sentence(
    settings: Settings, url: str, said: str
) -> None:
    update = {"smtp_url": SecretStr(url), "smtp_from": "astra@proveedor.example"}
    with pytest.raises(BadConfiguration, match=said):
        mail.server(settings.model_copy(update=update))


def test_what_one_notice_stumbles_over_waits_and_ends_nobody_elses(
    platform: Platform, make_tenant: MakeTenant, mailbox: Mailbox, receiver: Webhooks
) -> None:
    """An event without words, facts of another form, an address and a password no library can encode."""
    make_tenant()
    _with_mail(platform, mailbox)
    delivery.subscribe(platform, TENANT, email="a@villaverde.example", actor="test")
    bad = [_subscribe(platform, f"{receiver.url}&n={n}").subscription_id for n in range(4)]
    _subscribe(platform, receiver.url)
    with platform.database.session() as session:
        for number, (event, facts) in enumerate(
            [("birthday", {}), ("quarantine", {"documents": "x"}), ("quarantine", {"documents": None})]
        ):
            subscriptions.tell(session, TENANT, event, facts, only=bad[number])
        for row in session.scalars(sa.select(Outbox).where(Outbox.channel == "quarantine")):
            row.payload = {"documents": "x" if row.subscription_id == bad[1] else None}
            row.due_at = datetime.now(UTC)
        session.get_one(Subscription, (TENANT, bad[3])).address = "http://a..b.example/"
    platform.settings = platform.settings.model_copy(
        update={"smtp_url": SecretStr(f"smtp+plain://a:contrase%C3%B1a@127.0.0.1:{mailbox.port}")}
    )
    with platform.database.session() as session:
        session.execute(
            sa.update(Subscription).where(Subscription.subscription_id.in_(bad[:3])).values(events=["hold"])
        )
    _tell(platform)
    now = datetime.now(UTC) + timedelta(seconds=1)
    assert delivery.deliver(platform, now=now) == delivery.Delivered(sent=1, waiting=5)
    assert delivery.deliver(platform, now=now) == delivery.Delivered(), "each waits its pause"
    with platform.database.session() as session:
        said = {row.subscription_id: row.error or "" for row in subscriptions.listing(session, TENANT)}
    assert said[bad[0]] == "there are no words for the event 'birthday'"
    assert said[bad[1]] == "the notice cannot be sent: ValueError"
    assert said[bad[2]] == "the notice cannot be sent: TypeError"
    assert "does not resolve" in said[bad[3]]


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@", "@b.example", "a@b@c", "a b@c.example", "a@b.example\r\nBcc: all@x.example",
     "Lucía <a@b.example>", "a@b..example", "a..b@c.example", "a@b.example,c@d.example", "x" * 65 + "@b.c"],
)  # fmt: skip
def test_what_is_no_plain_address_gets_no_mail(text: str) -> None:
    with pytest.raises(BadInput, match="is not an e-mail address"):
        mail.address(text)


def test_a_subscription_that_cannot_work_is_refused_at_once(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    with pytest.raises(BadConfiguration, match="ASTRA_SMTP_URL"):
        delivery.subscribe(platform, TENANT, email="a@b.example", actor="test")
    with pytest.raises(BadInput, match="one of the two"):
        delivery.subscribe(platform, TENANT, actor="test")
    with pytest.raises(BadInput, match="unknown event birthday: choose of promotion"):
        _subscribe(platform, receiver.url, "birthday")
    with pytest.raises(BadInput, match="does not resolve"):
        _subscribe(platform, "http://nowhere.invalid/")
    with pytest.raises(UnknownTenant):
        _subscribe(platform, receiver.url, tenant=TenantId("nobody"))
    _subscribe(platform, receiver.url)
    with pytest.raises(AlreadyExists):
        _subscribe(platform, receiver.url)
    platform.settings = platform.settings.model_copy(update={"notify_private_addresses": False})
    with pytest.raises(BadInput, match="https://"):
        _subscribe(platform, receiver.url)
    _tell(platform)
    assert delivery.deliver(platform) == delivery.Delivered(waiting=1), "judged again at each attempt"
    assert receiver.requests == []


def test_the_secret_opens_for_its_own_row_alone(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    first, second = (_subscribe(platform, f"{receiver.url}&n={n}") for n in (1, 2))
    with platform.database.session() as session:
        rows = {row.subscription_id: row for row in subscriptions.listing(session, TENANT)}
        sealed = rows[first.subscription_id].sealed_secret or b""
        assert (first.secret or "").encode() not in sealed
        rows[second.subscription_id].sealed_secret = sealed
    with pytest.raises(DecryptionFailed):
        platform.vault.open_value(TENANT, f"subscriptions/{second.subscription_id}", sealed)
    _tell(platform)
    assert delivery.deliver(platform) == delivery.Delivered(sent=1, waiting=1)


def test_an_erased_municipality_has_no_addresses_left_and_can_not_get_new_ones(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    _subscribe(platform, receiver.url)
    _tell(platform)
    with platform.database.session() as session:
        erasure.erase_rows(session, TENANT, actor="test")
    with platform.database.session() as session:
        assert session.scalars(sa.select(Subscription)).all() == []
        waiting = sa.select(Outbox).where(Outbox.subscription_id.is_not(None))
        assert session.scalars(waiting).all() == []
    with pytest.raises(TenantErased):
        _subscribe(platform, receiver.url)
    assert delivery.deliver(platform) == delivery.Delivered()


def test_the_sensor_sends_what_is_due(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks
) -> None:
    make_tenant()
    _subscribe(platform, receiver.url)
    _tell(platform)
    (sensor,) = [one for one in sensors.build_sensors() if one.name == "notice_sensor"]
    assert "webhooks" in (sensor.description or "")
    assert delivery.deliver(platform).sent == 1


def test_from_adding_to_removing_on_the_command_line(
    platform: Platform, make_tenant: MakeTenant, receiver: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tenant()
    for name, value in export_env(platform.settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()

    def astra(*arguments: str) -> Any:
        answer = CliRunner().invoke(app, ["notice", *arguments, "-o", "json"])
        return answer.exit_code, json.loads(answer.stdout)

    code, made = astra("add", "villaverde", "--webhook", receiver.url, "--event", "hold")
    assert code == 0
    assert made["secret"].startswith("whsec_")
    code, tried = astra("test", "villaverde", made["subscription"])
    assert (code, tried["sent"], tried["error"]) == (0, 1, None)
    assert _bodies(receiver)[0]["event"] == "test"
    code, (row,) = astra("list", "villaverde")
    assert (row["kind"], row["events"], row["waiting"]) == ("webhook", ["hold"], 0)
    assert "secret" not in json.dumps(row)
    assert astra("list", "nowhere")[1]["error"]["code"] == "unknown_tenant"
    assert astra("test", "villaverde", "sub-none")[1]["error"]["code"] == "not_found"
    assert astra("add", "villaverde", "--webhook", "https://169.254.169.254/")[0] == 1
    assert astra("remove", "villaverde", made["subscription"])[0] == 0
    assert astra("remove", "villaverde", made["subscription"])[0] == 1
    with pytest.raises(NotFound):
        delivery.unsubscribe(platform, TENANT, made["subscription"], actor="test")
    get_settings.cache_clear()
