"""What one paragraph of the minutes says of a name holds for every pair of them: a real draft and final."""

from __future__ import annotations

from typing import Any

from astra_learn_assets.datasets import jsonl
from astra_learn_assets.hotpath import intake
from astra_learn_assets.learning import anonymize, compare
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import documents, paths
from astra_learn_assets_tests.api.files import make_draft
from astra_learn_assets_tests.conftest import MakeTenant

TENANT = "villaverde"


def test_who_the_roster_of_the_minutes_names_is_hidden_in_every_pair_though_no_pair_says_so(
    platform: Platform, make_tenant: MakeTenant
) -> None:
    """The roster is a paragraph that nobody corrected, so it is in no pair; Luz is an everyday word."""
    make_tenant(TENANT)
    files = make_draft(
        "pleno-1",
        paragraphs=[
            "Asisten D. Eusebio Guerra Campos y doña Luz Ruiz Prado, concejales de la corporación.",
            "Después se levanta Luz, como cada año, y explica las hobras de la piscina municipal.",
        ],
    )
    place: dict[str, Any] = {"tenant_id": TENANT, "session_id": "pleno-1", "version": 1}
    intake.register_draft(platform, docx=files.docx, manifest=files.manifest, **place)
    intake.submit_final(platform, data=files.final({"hobras": "obras"}), uploaded_by="marta", **place)
    compare.compare_waiting_finals(platform, TENANT)
    assert anonymize.anonymize_documents(platform, TENANT).examples >= 1
    with platform.database.session() as session:
        (row,) = documents.listing(session, TENANT)
    made = jsonl.load(platform.vault.read(TENANT, paths.pairs(TENANT, row.document_id)))
    (example,) = [one for one in made if "piscina" in one.input]
    assert example.input.startswith("Después se levanta <PERSONA_1>, como cada año")
    assert example.output.startswith("Después se levanta <PERSONA_1>, como cada año")
