"""What codes are called when people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from reports.languages import Speech, phrase, speech
from reports.product_words import FACT_KINDS, FACTS, FORMS

JURISDICTIONS: Mapping[str, str] = {
    "us": "United States",
    "uk": "United Kingdom",
    "eu": "European Union",
    "ca": "Canada",
    "ae": "United Arab Emirates",
    "at": "Austria",
    "au": "Australia",
    "be": "Belgium",
    "br": "Brazil",
    "ch": "Switzerland",
    "cn": "China",
    "co": "Colombia",
    "de": "Germany",
    "es": "Spain",
    "fr": "France",
    "hk": "Hong Kong",
    "id": "Indonesia",
    "ie": "Ireland",
    "in": "India",
    "it": "Italy",
    "jp": "Japan",
    "kr": "South Korea",
    "mx": "Mexico",
    "my": "Malaysia",
    "nl": "Netherlands",
    "nz": "New Zealand",
    "ph": "Philippines",
    "pl": "Poland",
    "pt": "Portugal",
    "sa": "Saudi Arabia",
    "sg": "Singapore",
    "th": "Thailand",
    "tr": "Türkiye",
    "tw": "Taiwan",
    "vn": "Viet Nam",
    "za": "South Africa",
}

CATEGORIES: Mapping[str, str] = {
    "disease_treatment": phrase("treats a disease"),
    "drug_structure_function": phrase("acts on the body"),
    "skin_drug_claim": phrase("treats a skin condition"),
    "hair_regrowth": phrase("regrows hair"),
    "antiageing_longevity": phrase("reverses ageing"),
    "route_injection_iv": phrase("injection or infusion"),
    "route_microneedling": phrase("needled into the skin"),
    "human_source": phrase("from human tissue"),
    "approval_misrep": phrase("claims approval"),
    "legal_loophole": phrase("claims an exemption"),
    "safety_absolute": phrase("claims to be free of risk"),
    "clinically_proven": phrase("clinically proven"),
    "guarantee": phrase("guarantee"),
    "superiority": phrase("better than other treatments"),
    "testimonial": phrase("patient's story"),
    "endorsement": phrase("endorsement"),
    "vulnerable_group": phrase("aimed at a vulnerable group"),
    "outbreak_claim": phrase("outbreak"),
    "veterinary": phrase("for animals"),
    "dose_count": phrase("particle count"),
    "stem_cell_misnomer": phrase("calls cell-free goods stem cells"),
    "pay_to_participate": phrase("paid trial"),
    "cosmetic_appearance": phrase("cosmetic appearance"),
}

EVENTS: Mapping[str, str] = {
    "notice_published": phrase("Notice published"),
    "notice_updated": phrase("Notice updated"),
    "claim_appeared": phrase("Appeared"),
    "claim_reworded": phrase("Reworded"),
    "claim_withdrawn": phrase("Withdrawn"),
    "claim_reappeared": phrase("Reappeared"),
    "claim_flagged": phrase("Judged otherwise under our changed rules"),
    "claim_cleared": phrase("No longer a claim under our changed rules"),
    "claim_reviewed": phrase("Decided in review"),
    "product_changed": phrase("Product changed"),
    "page_gone": phrase("Page gone"),
    "page_back": phrase("Page back"),
    "source_blind": phrase("Source went blind"),
    "source_recovered": phrase("Source recovered"),
    "baseline_read": phrase("First reading"),
    "trial_registered": phrase("Trial registered"),
    "trial_status_changed": phrase("Trial's status changed"),
    "publication_indexed": phrase("Paper indexed"),
    "publication_retracted": phrase("Paper retracted"),
    "authorisation_granted": phrase("Authorisation granted"),
    "authorisation_changed": phrase("Authorisation changed"),
}

DECISIONS: Mapping[str, str] = {"flag": phrase("flagged"), "review": phrase("for review")}
STATES: Mapping[str, str] = {
    "live": phrase("on the page when last read"),
    "missing": phrase("not on the page when last read; a second reading decides"),
    "rewording": phrase("seems to be reworded; a second reading decides"),
    "withdrawn": phrase("withdrawn"),
    "superseded": phrase("no longer a claim under our changed rules"),
}
CAUSES: Mapping[str, str] = {
    "source": phrase("the source changed"),
    "rules": phrase("our rules changed"),
    "review": phrase("a reviewer decided"),
}
KINDS: Mapping[str, str] = {
    "claim": phrase("Claims"),
    "notice": phrase("Notices"),
    "product": phrase("Products"),
    "organisation": phrase("Organisations"),
    "trial": phrase("Trials"),
    "publication": phrase("Papers"),
    "authorisation": phrase("Authorisations"),
}
HIT: Mapping[str, str] = {
    "claim": phrase("Claim"),
    "notice": phrase("Notice"),
    "product": phrase("Product"),
    "organisation": phrase("Organisation"),
    "trial": phrase("Trial"),
    "publication": phrase("Paper"),
    "authorisation": phrase("Authorisation"),
}
TIERS: Mapping[str, str] = {
    "core": phrase("names exosomes or the like"),
    "adjacent": phrase("cell and tissue products, injectables"),
    "other": phrase("other"),
}

REVIEW_STATES: Mapping[str, str] = {
    "unreviewed": phrase("unreviewed"),
    "confirmed": phrase("confirmed"),
    "dismissed": phrase("dismissed"),
    "reopened": phrase("reopened"),
}
SEVERITIES: Mapping[str, str] = {"High": phrase("High"), "Medium": phrase("Medium"), "Low": phrase("Low")}
NOTICE_TYPES: Mapping[str, str] = {
    "warning_letter": phrase("warning letter"),
    "untitled_letter": phrase("untitled letter"),
    "enforcement_report": phrase("enforcement report"),
    "recall": phrase("recall"),
    "alert": phrase("alert"),
    "advisory": phrase("advisory"),
    "guidance": phrase("guidance"),
    "rule": phrase("rule"),
    "ruling": phrase("ruling"),
    "court_action": phrase("court action"),
    "import_alert": phrase("import alert"),
    "close_out": phrase("close out"),
    "consultation": phrase("consultation"),
    "adverse_event_report": phrase("adverse event report"),
    "news": phrase("news"),
}
FIELDS: Mapping[str, str] = {
    "title": phrase("title"),
    "issued": phrase("issued"),
    "posted": phrase("posted"),
    "updated": phrase("updated"),
    "status": phrase("status"),
    "classification": phrase("classification"),
    "summary": phrase("summary"),
    "text": phrase("text"),
    "products": phrase("products"),
    "organisations": phrase("organisations"),
    "references": phrase("references"),
    "why_stopped": phrase("why stopped"),
    "has_results": phrase("has results"),
    "place": phrase("place"),
    "holder": phrase("holder"),
    "indication": phrase("indication"),
}
"""Fields of records, as "what changed" names them."""

NOTICE_GROUPS: Mapping[str, str] = {
    "core": phrase("New notices that name exosomes or the like"),
    "adjacent": phrase("Related: cell and tissue products, injectables"),
    "updated": phrase("Notices updated"),
}
HAPPENED: Mapping[str, str] = {
    "new": phrase("New claims"),
    "changed": phrase("Changed claims"),
    "gone": phrase("Claims gone"),
}
CORRECTIONS: Mapping[str, str] = {
    "dismissed": phrase("Dismissed in review"),
    "rules": phrase("Judged otherwise under our changed rules"),
    "notice": phrase("Changed by its publisher"),
    "numbers": phrase("Its numbers changed"),
}
REMARKS: Mapping[str, str] = {"partly": phrase("read in part only"), "unverified": phrase("unverified")}
CRITERIA: Mapping[str, str] = {
    "term": phrase("term"),
    "terms": phrase("terms"),
    "name": phrase("name"),
    "domain": phrase("domain"),
    "category": phrase("category"),
    "jurisdiction": phrase("jurisdiction"),
    "severity": phrase("severity"),
    "event": phrase("event"),
}
"""Of a watchlist."""
JUDGED: Mapping[str, str] = {
    "severity": phrase("severity"),
    "category": phrase("category"),
    "decision": phrase("decision"),
    "confidence": phrase("confidence"),
    "jurisdictions": phrase("jurisdictions"),
    "rule": phrase("our rule"),
    "rule_id": phrase("our rule"),
}
NUMBERS: Mapping[str, str] = {
    "notices_core": phrase("new notices on exosomes"),
    "notices_adjacent": phrase("related notices"),
    "notices_other": phrase("notices on other matters"),
    "notices_updated": phrase("notices updated"),
    "appeared": phrase("claims appeared"),
    "appeared_high": phrase("of them High"),
    "appeared_medium": phrase("of them Medium"),
    "appeared_low": phrase("of them Low"),
    "appeared_unassessed": phrase("of them not assessed"),
    "reworded": phrase("reworded"),
    "reappeared": phrase("reappeared"),
    "withdrawn": phrase("withdrawn"),
    "pages_gone": phrase("pages gone"),
    "pages_back": phrase("pages back"),
    "claims_gone": phrase("claims gone with their page"),
    "sources_total": phrase("sources"),
    "sources_read": phrase("sources read"),
    "sources_blind": phrase("sources blind"),
    "sources_quiet": phrase("sources quiet"),
    "runs_quarantined": phrase("runs not taken in"),
    "products_changed": phrase("products changed"),
    "rules_changed": phrase("changes by our rules"),
    "reviewed": phrase("decided in review"),
    "registered": phrase("changes in registers and literature"),
    "registered_other": phrase("changes on other matters"),
    "corrections": phrase("corrections"),
    "coming": phrase("days ahead"),
    "watch_matches": phrase("matches of watchlists"),
    "waiting": phrase("standing claims not reviewed"),
}
"""Of a digest, as a correction names them."""

LANGUAGES: Mapping[str, str] = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


class Met(Protocol):
    """A criterion of a watchlist, the term, and the words that met it."""

    @property
    def criterion(self) -> str: ...
    @property
    def term(self) -> str: ...
    @property
    def quote(self) -> str: ...


class Counted(Protocol):
    """A reason and its points."""

    @property
    def what(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def points(self) -> int: ...


class Words:
    """What codes are called in one language."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def _said(self, names: Mapping[str, str], code: str, otherwise: str) -> str:
        return self._speech.translated(names[code]) if code in names else otherwise

    def spoken(self, code: str) -> str:
        """A code as words: `warning_letter` → "warning letter"."""
        for names in (NOTICE_TYPES, FIELDS, REVIEW_STATES, JUDGED, NUMBERS):
            if code in names:
                return self._speech.translated(names[code])
        return code.replace("_", " ")

    def jurisdiction(self, code: str) -> str:
        written = JURISDICTIONS.get(code, "") if self._speech.code == "en" else ""
        return written or self._speech.place(code) or code.upper()

    def language(self, code: str) -> str:
        """A language by its ISO 639-1 code; one without a name is shown by its code."""
        written = LANGUAGES.get(code, "") if self._speech.code == "en" else ""
        return written or self._speech.language(code) or code

    def category(self, code: str) -> str:
        return self._said(CATEGORIES, code, self.spoken(code))

    def event(self, kind: str) -> str:
        return self._said(EVENTS, kind, self.spoken(kind).capitalize())

    def decision(self, code: str) -> str:
        return self._said(DECISIONS, code, self.spoken(code))

    def severity(self, code: str) -> str:
        """A claim for which no rule with a source speaks has none."""
        return self._said(SEVERITIES, code, code) if code else self._speech.gettext("not assessed")

    def state(self, code: str) -> str:
        return self._said(STATES, code, self.spoken(code))

    def cause(self, code: str) -> str:
        return self._said(CAUSES, code, self.spoken(code))

    def kind(self, code: str) -> str:
        return self._said(KINDS, code, self.spoken(code).capitalize())

    def thing(self, code: str) -> str:
        """One of a kind: "claim" → "Claim"."""
        return self._said(HIT, code, self.spoken(code).capitalize())

    def tier(self, code: str) -> str:
        return self._said(TIERS, code, self.spoken(code))

    def section(self, code: str) -> str:
        """A digest's section: a jurisdiction, or what is not assessed."""
        return self.jurisdiction(code) if code else self._speech.gettext("Not assessed")

    def notices(self, kind: str) -> str:
        return self._said(NOTICE_GROUPS, kind, self.spoken(kind))

    def happened(self, code: str) -> str:
        return self._said(HAPPENED, code, self.spoken(code))

    def correction(self, kind: str) -> str:
        return self._said(CORRECTIONS, kind, self.spoken(kind))

    def remark(self, status: str) -> str:
        """What a reader must know before resting on a provision; empty for a verified one."""
        return "" if status == "verified" else self._said(REMARKS, status, self._speech.gettext("not in the law table"))

    def fact_kind(self, kind: str) -> str:
        return self._said(FACT_KINDS, kind, self.spoken(kind))

    def facts(self, kind: str, values: Iterable[str]) -> str:
        """What a product is said to be: `serum, cream`."""
        return ", ".join(self.fact(kind, value) for value in values)

    def fact(self, kind: str, value: str) -> str:
        if kind == "country":
            return self._speech.gettext("worldwide") if value == "worldwide" else self.jurisdiction(value)
        return self._said(FORMS if kind == "form" else FACTS, value, self.spoken(value))

    def criterion(self, code: str) -> str:
        return self._said(CRITERIA, code, self.spoken(code))

    def met(self, reasons: Iterable[Met]) -> str:
        """What of a watchlist was met: `terms: arthritis, in “…”`."""
        return "; ".join(self._met(reason) for reason in reasons)

    def _met(self, reason: Met) -> str:
        named = {"category": self.category, "jurisdiction": self.jurisdiction, "event": self.event}
        term = named.get(reason.criterion, str)(reason.term)
        said = ": ".join(part for part in (self.criterion(reason.criterion), term) if part)
        if not reason.quote:
            return said
        return self._speech.gettext("%(criterion)s, in “%(quote)s”", criterion=said, quote=reason.quote)

    def reasons(self, because: Iterable[Counted]) -> str:
        """Why a line is among those that matter most: `High severity 40, appeared 20`."""
        return ", ".join(f"{self._weighed(one)} {one.points}".replace(" -", " −") for one in because)

    def _weighed(self, one: Counted) -> str:
        spoken = self._speech
        if one.what == "severity":
            return spoken.gettext("severity %(severity)s", severity=self.severity(one.value))
        if one.what == "reach":
            return spoken.ngettext("on %(num)s site", "on %(num)s sites", int(one.value))
        if one.what == "places":
            return spoken.ngettext("in %(num)s jurisdiction", "in %(num)s jurisdictions", int(one.value))
        if one.what == "watch":
            return spoken.gettext("watchlist %(name)s", name=one.value)
        if one.what == "notice":
            return self.tier(one.value)
        return self.spoken(one.value) if one.what == "kind" else self.event(one.value)


_english = Words(speech())
spoken, jurisdiction, language, category = (
    _english.spoken,
    _english.jurisdiction,
    _english.language,
    _english.category,
)
event, decision, state, cause, kind, tier = (
    _english.event,
    _english.decision,
    _english.state,
    _english.cause,
    _english.kind,
    _english.tier,
)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 notice`, `2 notices`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def happenings(changes: Mapping[str, int]) -> str:
    """What a run brought, for the site: `2 claims appeared, first reading`."""
    return ", ".join(_happening(kind, number) for kind, number in sorted(changes.items()) if number)


def _happening(kind: str, number: int) -> str:
    what, _, done = kind.partition("_")
    if what in ("baseline", "source"):  # a run has one at most
        return event(kind).lower()
    return f"{counted(number, what)} {done.replace('_', ' ')}"
