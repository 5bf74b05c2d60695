"""Our own Presidio registry for Spanish: only what is needed, nothing that reaches for the network.

Presidio's stock set for ``es`` knows two identity documents and no Latin American one, and misses
``12.345.678-Z`` and ``924 366 001``. Here its recognizers for mail, IBAN, cards, NIF, NIE and phones
stand beside ours, each as one recognizer, so the residual scan sees every kind through two
independent implementations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from astra_learn_assets.privacy.identifiers import addresses, contact
from astra_learn_assets.privacy.identifiers.compact import compact_identities
from astra_learn_assets.privacy.identifiers.countries import country_pack, identity_rules
from astra_learn_assets.privacy.identifiers.rules import Finding, RuleSet

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer

Detect = Callable[[str], Iterable[Finding]]
KINDS = {
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "CUENTA",
    "CREDIT_CARD": "TARJETA",
    "ES_NIF": "DNI",
    "ES_NIE": "NIE",
    "PHONE_NUMBER": "TELEFONO",
}
MINIMUM_SCORE = 0.4


def recognizer(name: str, detect: Detect) -> EntityRecognizer:
    """Wrap a function over cleaned text as a Presidio recognizer."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class _Wrapped(EntityRecognizer):
        def load(self) -> None:
            """Nothing to load."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[Any]:  # noqa: ARG002
            return [
                RecognizerResult(
                    f.kind,
                    f.start,
                    f.end,
                    1.0,
                    recognition_metadata={RecognizerResult.RECOGNIZER_NAME_KEY: name},
                )
                for f in detect(text)
            ]

    return _Wrapped(supported_entities=["ASTRA"], name=name, supported_language="es")


def build_analyzer(country: str, detectors: dict[str, Detect] | None = None) -> AnalyzerEngine:
    """An analyzer for a tenant of ``country`` with our rules, Presidio's checks and ``detectors``.

    Its language engine only splits words: call ``analyze(text, language="es")``.

    Raises:
        BadConfiguration: for a country without a pack.
    """
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EsNieRecognizer,
        EsNifRecognizer,
        IbanRecognizer,
        PhoneRecognizer,
    )

    rules = RuleSet((*identity_rules(country), *contact.CONTACT))
    code = country.strip().lower()
    registry = RecognizerRegistry(supported_languages=["es"])
    registry.recognizers = [
        recognizer("rules", rules.find),
        recognizer("grouped", lambda text: compact_identities(text, code)),
        recognizer("phones", lambda text: contact.phones(text, code)),
        recognizer("spoken", contact.spoken_numbers),
        recognizer("addresses", addresses.addresses),
        *(recognizer(name, detect) for name, detect in (detectors or {}).items()),
        _offline_email(),
        IbanRecognizer(supported_language="es"),
        CreditCardRecognizer(supported_language="es"),
        EsNifRecognizer(supported_language="es"),
        EsNieRecognizer(supported_language="es"),
        PhoneRecognizer(
            supported_language="es", supported_regions=(country_pack(code).phone.region,), leniency=3
        ),
    ]
    return AnalyzerEngine(registry=registry, nlp_engine=_blank_engine(), supported_languages=["es"])


def _offline_email() -> EntityRecognizer:
    """Presidio's mail recognizer asks the network for top-level domains; this one uses the packed list."""
    import tldextract
    from presidio_analyzer.predefined_recognizers import EmailRecognizer

    extract = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())

    class _Offline(EmailRecognizer):
        def validate_result(self, pattern_text: str) -> bool:
            return bool(extract(pattern_text).fqdn)

    return _Offline(supported_language="es")


def _blank_engine() -> Any:
    import spacy
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    engine = SpacyNlpEngine(
        models=[{"lang_code": "es", "model_name": "blank"}],
        ner_model_configuration=NerModelConfiguration(labels_to_ignore=[]),
    )
    vars(engine)["nlp"] = {"es": spacy.blank("es")}
    return engine


def empty_artifacts(analyzer: AnalyzerEngine) -> Any:
    """Language artifacts of an empty text: none of our recognizers needs words or lemmas."""
    return analyzer.nlp_engine.process_text("", "es")


def analyze(analyzer: AnalyzerEngine, text: str, artifacts: Any) -> list[Finding]:
    """All recognizers over one cleaned text; ``detector`` is the recognizer's name."""
    found = []
    for result in _entities(analyzer, text, artifacts):
        if result.score >= MINIMUM_SCORE:
            name = (result.recognition_metadata or {}).get("recognizer_name", "presidio")
            kind = KINDS.get(result.entity_type, result.entity_type)
            found.append(Finding(result.start, result.end, kind, int(result.score * 100), name))
    return found


def _entities(analyzer: AnalyzerEngine, text: str, artifacts: Any) -> list[Any]:
    results: list[Any] = []
    for one in analyzer.registry.recognizers:
        results += one.analyze(text, one.supported_entities, artifacts) or []
        for result in results:
            metadata = result.recognition_metadata or {}
            metadata.setdefault("recognizer_name", str(one.to_dict()["name"]))
            result.recognition_metadata = metadata
    return results


def versions() -> dict[str, str]:
    """Versions of the libraries whose rules decide."""
    names = ("presidio-analyzer", "phonenumbers", "python-stdnum")
    return {name: version(name) for name in names}
