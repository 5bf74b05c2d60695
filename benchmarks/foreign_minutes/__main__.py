"""Prints samples of generated minutes and counts of what is in them; every mark is checked first."""

import argparse
from collections import Counter

from .generate import generate
from .minutes import Minutes, check, share_without_people, variants


def main() -> None:
    """Generate, check all forms of all pieces, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--samples", type=int, default=2)
    given = parser.parse_args()
    made = generate(given.seed, given.count)
    for minutes in made:
        for form in variants(minutes).values():
            check(form)
    for minutes in made[: given.samples]:
        print(f"=== {minutes.country} {minutes.layout}\n{_marked(minutes)}")
    _table("country", Counter(m.country for m in made), Counter(m.country for m in made for _ in m.mentions))
    _table("layout", Counter(m.layout for m in made), Counter(m.layout for m in made for _ in m.mentions))
    kinds = Counter(mention.kind for m in made for mention in m.mentions)
    roles = Counter(mention.role for m in made for mention in m.mentions)
    size = sum(len(m.text) for m in made)
    share = sum(share_without_people(m) * len(m.text) for m in made) / max(1, size)
    print("kinds:", dict(kinds.most_common()))
    print("roles:", dict(roles.most_common()))
    print(f"{len(made)} pieces, {size} characters, {share:.1%} of them without people,", end=" ")
    print(f"{sum(kinds.values())} mentions, {sum(len(m.protected) for m in made)} protected spans")


def _marked(minutes: Minutes) -> str:
    parts, last = [], 0
    for mention in minutes.mentions:
        parts.append(minutes.text[last : mention.start])
        parts.append(f"⟦{minutes.text[mention.start : mention.end]}|{mention.kind} {mention.person}⟧")
        last = mention.end
    return "".join([*parts, minutes.text[last:]])


def _table(title: str, pieces: Counter[str], mentions: Counter[str]) -> None:
    print(f"{title:<26}{'pieces':>8}{'mentions':>10}")
    for name in sorted(pieces):
        print(f"{name:<26}{pieces[name]:>8}{mentions[name]:>10}")


if __name__ == "__main__":
    main()
