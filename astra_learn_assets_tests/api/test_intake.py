from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from astra_learn_assets import errors
from astra_learn_assets.hotpath.intake import compare_artifacts, register_draft, submit_final
from astra_learn_assets.hotpath.summary import SubmitSummary
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import artifacts, dictionary, outbox
from astra_learn_assets.store.tables import Artifact, DictionaryChange, Outbox
from astra_learn_assets_tests.api.files import NAME_FIX, TEXT_FIX, DraftFiles, edit, make_draft
from astra_learn_assets_tests.conftest import MakeTenant


def submit(platform: Platform, data: bytes, **more: object) -> SubmitSummary:
    given: dict[str, object] = {
        "tenant_id": "villaverde",
        "session_id": "pleno-1",
        "version": 1,
        "uploaded_by": "marta",
        **more,
    }
    return submit_final(platform, data=data, **given)  # type: ignore[arg-type]


def register(platform: Platform, files: DraftFiles, tenant_id: str = "villaverde") -> Artifact:
    return register_draft(
        platform,
        tenant_id=tenant_id,
        session_id=files.session_id,
        version=files.version,
        docx=files.docx,
        manifest=files.manifest,
    )


def count(platform: Platform, table: type[object]) -> int:
    with platform.database.session() as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def test_a_name_fix_is_live_and_a_text_fix_waits(platform: Platform, draft: DraftFiles) -> None:
    summary = submit(platform, draft.final(NAME_FIX, TEXT_FIX))
    assert [(e.wrong, e.right, e.kind) for e in summary.entities_live] == [("Hortegga", "Ortega", "person")]
    assert summary.pairs_waiting == 1
    assert summary.dictionary_version == 1
    assert summary.quarantined is None
    assert not summary.base_replaced
    assert not summary.already_received
    assert "1 nombre corregido" in summary.message
    assert "1 corrección de texto" in summary.message
    with platform.database.session() as session:
        version, entries = dictionary.read(session, "villaverde")
    assert version == 1
    assert [(e.wrong, e.right, e.author, e.source_document) for e in entries] == [
        ("Hortegga", "Ortega", "marta", summary.artifact_id)
    ]


def test_the_same_final_again_has_no_second_effect(platform: Platform, draft: DraftFiles) -> None:
    final = draft.final(NAME_FIX)
    first = submit(platform, final)
    again = submit(platform, final, uploaded_by="otra")
    assert again == first.model_copy(update={"already_received": True})
    assert (count(platform, Outbox), count(platform, DictionaryChange)) == (1, 1)


def test_two_identical_uploads_at_once_have_one_effect(platform: Platform, draft: DraftFiles) -> None:
    final = draft.final(NAME_FIX, TEXT_FIX)
    start = threading.Barrier(6)

    def upload(_: int) -> SubmitSummary:
        start.wait()
        return submit(platform, final)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(upload, range(6)))
    assert sum(not answer.already_received for answer in answers) == 1
    assert len({answer.model_copy(update={"already_received": False}) for answer in answers}) == 1
    assert (count(platform, Outbox), count(platform, DictionaryChange)) == (1, 1)


def test_clerks_of_different_sessions_at_once_lose_no_entry(platform: Platform, draft: DraftFiles) -> None:
    drafts = [make_draft(f"pleno-{number}") for number in range(10, 18)]
    for number, files in enumerate(drafts):
        text = draft_text(number)
        drafts[number] = make_draft(files.session_id, paragraphs=text)
        register(platform, drafts[number])

    def upload(number: int) -> SubmitSummary:
        files = drafts[number]
        final = edit(files.docx, {f"Zulabatr{'aeiouáéí'[number]}": f"Zulabadr{'aeiouáéí'[number]}"})
        return submit(platform, final, session_id=files.session_id)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(upload, range(8)))
    assert all(len(answer.entities_live) == 1 for answer in answers)
    assert sorted(answer.dictionary_version for answer in answers) == list(range(1, 9))
    with platform.database.session() as session:
        assert len(dictionary.read(session, "villaverde")[1]) == 8


def draft_text(number: int) -> list[str]:
    name = f"Zulabatr{'aeiouáéí'[number]}"
    return [
        f"La concejala doña Elena {name} presenta el informe de la comisión de obras número {number}.",
        "El Pleno queda enterado y agradece el trabajo de los servicios técnicos del ayuntamiento.",
        "Se acuerda publicar el informe en el tablón de anuncios durante un plazo de quince días.",
    ]


def test_a_final_is_compared_with_the_draft_of_its_own_version(platform: Platform, draft: DraftFiles) -> None:
    second = make_draft(version=2)
    base = register(platform, second)
    first_id = artifacts.artifact_id("pleno-1", 1, "generated", sha(draft.docx))
    summary = submit(platform, second.final(NAME_FIX), version=2, generated_id=first_id)
    assert summary.base_id == base.artifact_id
    assert summary.base_replaced
    assert "su misma versión" in summary.message


def sha(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def test_without_a_draft_of_that_version_nothing_is_stored(platform: Platform, draft: DraftFiles) -> None:
    before = platform.objects.list("sessions/")
    with pytest.raises(errors.BaseMissing, match="versión 2"):
        submit(platform, draft.final(NAME_FIX), version=2)
    assert platform.objects.list("sessions/") == before
    assert count(platform, Artifact) == 1
    assert count(platform, Outbox) == 0


@pytest.mark.parametrize("data", [b"", b"hola", b"PK\x03\x04 broken", b"%PDF-1.7"])
def test_what_is_no_docx_is_refused_and_leaves_nothing(
    platform: Platform, draft: DraftFiles, data: bytes
) -> None:
    before = platform.objects.list("sessions/")
    with pytest.raises(errors.UploadRefused):
        submit(platform, data)
    assert platform.objects.list("sessions/") == before
    assert count(platform, Artifact) == 1


def test_a_truncated_final_is_refused(platform: Platform, draft: DraftFiles) -> None:
    final = draft.final(NAME_FIX)
    with pytest.raises(errors.UploadRefused):
        submit(platform, final[: len(final) // 2])
    assert count(platform, Artifact) == 1


def test_a_final_without_text_is_refused(platform: Platform, draft: DraftFiles) -> None:
    empty = make_draft("pleno-1", paragraphs=["   "])
    with pytest.raises(errors.UploadRefused):
        submit(platform, empty.docx)
    assert count(platform, Artifact) == 1


def test_a_quarantined_final_is_stored_but_teaches_nothing(platform: Platform, draft: DraftFiles) -> None:
    nonsense = make_draft(paragraphs=[f"Cosa distinta número {n} sobre otro asunto ajeno." for n in range(9)])
    summary = submit(platform, nonsense.docx)
    assert summary.quarantined
    assert summary.entities_live == ()
    assert summary.pairs_waiting == 0
    assert summary.dictionary_version == 0
    assert summary.quarantined in summary.message
    assert count(platform, Artifact) == 2
    assert count(platform, Outbox) == 0


def test_a_final_equal_to_its_draft_says_so(platform: Platform, draft: DraftFiles) -> None:
    summary = submit(platform, edit(draft.docx, {}))
    assert summary.pairs_waiting == 0
    assert "igual al borrador" in summary.message


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"tenant_id": "nadie"}, errors.UnknownTenant),
        ({"session_id": "a/b"}, errors.InvalidId),
        ({"session_id": "x" * 81}, errors.InvalidId),
        ({"version": 0}, errors.InvalidId),
        ({"session_id": "nunca"}, errors.BaseMissing),
    ],
)
def test_impossible_ids_are_refused_by_name(
    platform: Platform, draft: DraftFiles, given: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        submit(platform, draft.final(NAME_FIX), **given)
    assert count(platform, Artifact) == 1


def test_a_session_id_of_80_characters_works(platform: Platform, make_tenant: MakeTenant) -> None:
    make_tenant()
    files = make_draft("s" * 80)
    register(platform, files)
    summary = submit(platform, files.final(NAME_FIX), session_id="s" * 80)
    assert len(summary.artifact_id) <= 80
    assert summary.entities_live


def test_two_tenants_may_use_the_same_session_and_file(platform: Platform, make_tenant: MakeTenant) -> None:
    files = make_draft()
    for tenant in ("villaverde", "rio-claro"):
        make_tenant(tenant)
        register(platform, files, tenant)
        assert submit(platform, files.final(NAME_FIX), tenant_id=tenant).already_received is False
    with platform.database.session() as session:
        for tenant in ("villaverde", "rio-claro"):
            assert dictionary.read(session, tenant)[0] == 1


def test_registering_a_draft_twice_gives_one_artifact(platform: Platform, draft: DraftFiles) -> None:
    assert register(platform, draft).artifact_id == register(platform, draft).artifact_id
    assert count(platform, Artifact) == 1


def test_a_new_draft_of_the_same_version_becomes_the_base(platform: Platform, draft: DraftFiles) -> None:
    newer = make_draft(paragraphs=[*make_draft_texts(), "Queda sobre la mesa la moción del grupo mixto."])
    base = register(platform, newer)
    summary = submit(platform, newer.final(NAME_FIX))
    assert summary.base_id == base.artifact_id
    assert platform.objects.get(base.uri) == newer.docx
    assert summary.left_out == ()


def make_draft_texts() -> list[str]:
    from astra_learn_assets_tests.api.files import PARAGRAPHS

    return list(PARAGRAPHS)


def test_the_same_draft_with_another_manifest_is_a_conflict(platform: Platform, draft: DraftFiles) -> None:
    other = DraftFiles(
        draft.session_id, draft.version, draft.docx, draft.manifest.replace(b".opus", b".flac")
    )
    with pytest.raises(errors.Conflict, match="otro manifiesto"):
        register(platform, other)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"session_id": "pleno-1"', b'"session_id": "pleno-2"'),
        (b'"version": 1', b'"version": 2'),
        (b'"document_id": "doc-pleno-1-1"', b'"document_id": "another"'),
        (b'"chunks"', b'"pieces"'),
        (b"{", b""),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    platform: Platform, make_tenant: MakeTenant, old: bytes, new: bytes
) -> None:
    make_tenant()
    files = make_draft()
    broken = DraftFiles(files.session_id, files.version, files.docx, files.manifest.replace(old, new, 1))
    with pytest.raises(errors.BadManifest):
        register(platform, broken)
    assert count(platform, Artifact) == 0
    assert platform.objects.list("sessions/") == []


def test_two_clerks_win_against_the_first_one_and_the_conflict_is_flagged(
    platform: Platform, draft: DraftFiles
) -> None:
    other = {"Hortegga": "Hortega"}
    submit(platform, draft.final(NAME_FIX), uploaded_by="marta")
    alone = submit(platform, draft.final(other), uploaded_by="jorge")
    assert alone.entities_live == ()
    assert "1 nombre que se conocía de otra forma" in alone.message
    again = make_draft("pleno-9")
    register(platform, again)
    submit(platform, again.final(other), session_id="pleno-9", uploaded_by="ana")
    with platform.database.session() as session:
        entries = dictionary.read(session, "villaverde")[1]
        history = dictionary.changes_since(session, "villaverde", 0)
    assert [(e.wrong, e.right) for e in entries] == [("Hortegga", "Hortega")]
    assert [change.conflict for change in history] == [False, True]
    assert history[1].previous is not None
    assert history[1].previous["right"] == "Ortega"


def test_the_opposite_fix_takes_the_first_one_out(platform: Platform, draft: DraftFiles) -> None:
    submit(platform, draft.final(NAME_FIX))
    turned = make_draft(
        "pleno-9", paragraphs=[text.replace("Hortegga", "Ortega") for text in make_draft_texts()]
    )
    register(platform, turned)
    summary = submit(platform, turned.final({"Ortega": "Hortegga"}), session_id="pleno-9")
    with platform.database.session() as session:
        entries = dictionary.read(session, "villaverde")[1]
    if summary.entities_live:
        assert [(e.wrong, e.right) for e in entries] == [("Ortega", "Hortegga")]
    else:
        assert [(e.wrong, e.right) for e in entries] == [("Hortegga", "Ortega")]


def test_comparing_stored_documents_twice_gives_the_same_delta(platform: Platform, draft: DraftFiles) -> None:
    summary = submit(platform, draft.final(NAME_FIX, TEXT_FIX))
    first = compare_artifacts(platform, "villaverde", summary.base_id, summary.artifact_id)
    assert first == compare_artifacts(platform, "villaverde", summary.base_id, summary.artifact_id)
    assert first.metrics.counts["modified"] == 2
    assert count(platform, Artifact) == 2


def test_comparing_needs_a_draft_and_a_final_of_the_tenant(
    platform: Platform, draft: DraftFiles, make_tenant: MakeTenant
) -> None:
    summary = submit(platform, draft.final(NAME_FIX))
    make_tenant("rio-claro")
    with pytest.raises(errors.NotFound):
        compare_artifacts(platform, "rio-claro", summary.base_id, summary.artifact_id)
    with pytest.raises(errors.BadInput):
        compare_artifacts(platform, "villaverde", summary.artifact_id, summary.base_id)
    with pytest.raises(errors.InvalidId):
        compare_artifacts(platform, "villaverde", "../x", summary.artifact_id)


def test_with_redis_away_the_fix_is_live_and_the_event_waits(platform: Platform, draft: DraftFiles) -> None:
    import redis

    away = Platform(
        platform.settings,
        platform.database,
        platform.objects,
        platform.vault,
        redis.Redis(port=1, socket_connect_timeout=0.2),
    )
    summary = submit(away, draft.final(NAME_FIX))
    assert summary.entities_live
    with platform.database.session() as session:
        assert outbox.backlog(session) == 1
    listener = platform.redis.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(outbox.CHANNEL_DICTIONARY)
    listener.get_message(timeout=1)
    assert outbox.relay(platform.database, platform.redis) == 1
    message = next(filter(None, (listener.get_message(timeout=1) for _ in range(3))))
    assert '"version": 1' in message["data"]
    listener.close()
