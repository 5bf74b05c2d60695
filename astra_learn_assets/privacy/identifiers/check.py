"""Holds every country's rules against its own samples; ``make lint`` runs it as a module.

That a file has all its parts is an error at import already. Here it must also do what it says: each sample
is masked behind its word, and alone where that is promised, in every spelling; each rule and each compact
form fires on some sample or example; libphonenumber knows the region.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.privacy.identifiers.samples import spellings

if TYPE_CHECKING:
    from astra_learn_assets.privacy.identifiers.pack import CountryPack, Sample
    from astra_learn_assets.privacy.identifiers.rules import Finding

_DRAWS = 40  # of each sample: enough to meet the letters and groupings its rules are about


def faults() -> list[str]:
    """What is wrong with the country files, each as one sentence that names file and part."""
    try:
        from astra_learn_assets.privacy.identifiers.countries import country_packs

        packs = country_packs()
    except BadConfiguration as error:
        return [str(error)]
    return [
        f"country {country!r} ({country}.py): {fault}"
        for country, pack in packs.items()
        for fault in (*_phone(pack), *_samples(country, pack), *_rules(country, pack))
    ]


def _phone(pack: CountryPack) -> Iterator[str]:
    from phonenumbers import SUPPORTED_REGIONS

    if pack.phone.region not in SUPPORTED_REGIONS:
        yield f"phone: libphonenumber knows no region {pack.phone.region!r}"


def _samples(country: str, pack: CountryPack) -> Iterator[str]:
    """One sentence for the first spelling of each sample that the rules do not mask as promised."""
    from astra_learn_assets.privacy.identifiers.compact import compact_identities
    from astra_learn_assets.privacy.identifiers.countries import identity_rules
    from astra_learn_assets.privacy.identifiers.rules import RuleSet

    rules = RuleSet(identity_rules(country))
    for sample in pack.samples:
        for value in _spelled(country, sample):
            told = f"{sample.word} {value}"
            if not _covers([*rules.find(told), *compact_identities(told, country)], told, value):
                yield f"samples: {sample.kind} {value!r} is not masked behind {sample.word!r}"
                break
            alone = [*rules.find(value), *compact_identities(value, country)]
            if sample.stands_alone(value) and not _covers(alone, value, value):
                yield f"samples: {sample.kind} {value!r} is not masked alone, as it promises"
                break


def _rules(country: str, pack: CountryPack) -> Iterator[str]:
    """One sentence for each rule and each compact form that fires on no sample and no example."""
    from astra_learn_assets.privacy.identifiers.compact import compact_identities
    from astra_learn_assets.privacy.identifiers.countries import with_words
    from astra_learn_assets.privacy.identifiers.rules import RuleSet

    phrases = list(pack.examples)
    phrases += [f"{sample.word} {value}" for sample in pack.samples for value in _spelled(country, sample)]
    for part in ("rules", "abroad"):
        for rule in getattr(pack, part):
            fires = RuleSet([with_words(rule)])
            if not any(fires.find(phrase) for phrase in phrases):
                yield f"{part}: {rule.kind} {rule.form.pattern!r:.60} fires on no sample and no example"
    grouped = {found.kind for phrase in phrases for found in compact_identities(phrase, country)}
    for form in pack.compact:
        if form.kind not in grouped:
            yield f"compact: {form.kind} {form.form.pattern!r} fires on no sample and no example"


def _spelled(country: str, sample: Sample) -> list[str]:
    rng = random.Random(f"{country} {sample.kind}")
    return [value for _ in range(_DRAWS) for value in spellings(sample.make(rng))]


def _covers(found: Sequence[Finding], text: str, value: str) -> bool:
    at = text.index(value)
    places = [i for i in range(at, at + len(value)) if text[i].isalnum()]
    return all(any(f.start <= i < f.end for f in found) for i in places)


def main() -> int:
    """Print what is wrong; 1 when anything is."""
    found = faults()
    sys.stderr.writelines(f"{fault}\n" for fault in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
