"""From a claim to the provisions it touches.

Rests on the rows of `monitor/knowledge/law`: provisions in our own words with source and reading day, and
rules over category, source material, route and page role. A verdict says which rule flagged the claim and
which provisions that rule cites; it never says that anyone broke the law. Where the sources of two cited
provisions contradict each other, the verdict names both and leaves the answer to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from monitor.classify.places import places
from monitor.classify.shapes import ProductFacts, Verdict
from monitor.knowledge.yaml_rows import nearest

if TYPE_CHECKING:
    from monitor.knowledge.law import Law, Provision, Rule

_REMEMBERED = 4_096  # verdicts of one jurisdiction, about a kilobyte each


def verdicts(law: Law, category: str, facts: ProductFacts, codes: Sequence[str], role: str) -> tuple[Verdict, ...]:
    """One verdict a jurisdiction, in the order of `codes`, repeats left out.

    A category that touches no provision by itself gives none. Not assessed: severity "" and no legal basis.
    Raises ValueError for a category that the law table does not know.
    """
    known = law.categories.get(category)
    if known is None:
        raise ValueError(f"the law table knows no category {category!r}{nearest(category, law.categories)}")
    if not known.verdict:
        return ()
    return tuple(_verdict(law, category, facts, code, role) for code in dict.fromkeys(codes))


class Verdicts:
    """`verdicts` under one law, remembered: the pages of a site ask for the same ones."""

    def __init__(self, law: Law) -> None:
        @lru_cache(maxsize=_REMEMBERED)
        def alone(category: str, facts: ProductFacts, code: str, role: str) -> tuple[Verdict, ...]:
            return verdicts(law, category, facts, (code,), role)

        self._alone = alone

    def of(self, category: str, facts: ProductFacts, codes: Sequence[str], role: str) -> tuple[Verdict, ...]:
        return tuple(one for code in dict.fromkeys(codes) for one in self._alone(category, facts, code, role))


def _verdict(law: Law, category: str, facts: ProductFacts, code: str, role: str) -> Verdict:
    rule_set = law.rule_sets.get(code)
    if rule_set is None:
        return _not_assessed(code, _no_rules(code))
    if category in rule_set.no_rule:
        return _not_assessed(code, rule_set.no_rule[category])
    rule = rule_set.rule(category, facts.source_material, facts.route, role)
    if rule is None:
        return _not_assessed(code, f"No rule of {code} takes this case of {category}.")
    cited = law.sourced(rule)
    if not cited:
        return _not_assessed(code, f"Rule {rule.id} cites no provision that has a source.")
    disputed = _disputed(rule, cited)
    basis = tuple(one.id for one in cited)
    return Verdict(code, rule.severity, basis, True, _why(rule, cited, disputed), tuple(one.id for one in disputed))


def _disputed(rule: Rule, cited: Sequence[Provision]) -> tuple[Provision, ...]:
    """The cited provisions that contradict each other; one left alone contradicts nothing."""
    found = tuple(one for one in cited if one.id in rule.disputed)
    return found if len(found) > 1 else ()


def _no_rules(code: str) -> str:
    country = places().member_states.get(code)
    if country:
        return f"The national law of {country} is not in the table; the law of the Union is assessed as eu."
    return "No rule for this jurisdiction has a source."


def _not_assessed(code: str, reason: str) -> Verdict:
    return Verdict(code, "", (), False, f"Not assessed. {reason}")


def _why(rule: Rule, cited: Sequence[Provision], disputed: Sequence[Provision]) -> str:
    parts = [f"Flagged by rule {rule.id}: {rule.why}"]
    if disputed:
        told = " against ".join(f"{one.id} ({one.instrument})" for one in disputed)
        parts.append(f"Needs a person: sources disagree, {told}.")
    if rule.conditions:
        parts.append(f"To be looked at: {rule.conditions}")
    open_ids = [one.id for one in cited if one.status != "verified"]
    if len(open_ids) == len(cited):
        parts.append("Unverified: the text of no provision cited here was read in full.")
    elif open_ids:
        parts.append(f"Unverified among the provisions cited: {', '.join(open_ids)}.")
    retold = [one.id for one in cited if one.status == "verified" and one.source and one.source.kind == "secondary"]
    if retold:
        parts.append(f"Read in an account or a reprint: {', '.join(retold)}.")
    if rule.unsigned or any(one.unsigned for one in cited):
        parts.append("Unsigned: no lawyer has signed these rows.")
    parts.append("A person decides.")
    return " ".join(parts)
