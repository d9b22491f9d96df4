"""What codes are called when people read them."""

from __future__ import annotations

from collections.abc import Mapping

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
    "disease_treatment": "treats a disease",
    "drug_structure_function": "acts on the body",
    "skin_drug_claim": "treats a skin condition",
    "hair_regrowth": "regrows hair",
    "antiageing_longevity": "reverses ageing",
    "route_injection_iv": "injection or infusion",
    "route_microneedling": "needled into the skin",
    "human_source": "from human tissue",
    "approval_misrep": "claims approval",
    "legal_loophole": "claims an exemption",
    "safety_absolute": "claims to be free of risk",
    "clinically_proven": "clinically proven",
    "guarantee": "guarantee",
    "superiority": "better than other treatments",
    "testimonial": "patient's story",
    "endorsement": "endorsement",
    "vulnerable_group": "aimed at a vulnerable group",
    "outbreak_claim": "outbreak",
    "veterinary": "for animals",
    "dose_count": "particle count",
    "stem_cell_misnomer": "calls cell-free goods stem cells",
    "pay_to_participate": "paid trial",
    "cosmetic_appearance": "cosmetic appearance",
}

EVENTS: Mapping[str, str] = {
    "notice_published": "Notice published",
    "notice_updated": "Notice updated",
    "claim_appeared": "Appeared",
    "claim_reworded": "Reworded",
    "claim_withdrawn": "Withdrawn",
    "claim_reappeared": "Reappeared",
    "claim_flagged": "Judged otherwise under our changed rules",
    "claim_cleared": "No longer a claim under our changed rules",
    "claim_reviewed": "Decided in review",
    "page_gone": "Page gone",
    "page_back": "Page back",
    "source_blind": "Source went blind",
    "source_recovered": "Source recovered",
    "baseline_read": "First reading",
    "trial_registered": "Trial registered",
    "trial_status_changed": "Trial's status changed",
    "publication_indexed": "Paper indexed",
    "publication_retracted": "Paper retracted",
    "authorisation_granted": "Authorisation granted",
    "authorisation_changed": "Authorisation changed",
}

DECISIONS: Mapping[str, str] = {"flag": "flagged", "review": "for review"}
STATES: Mapping[str, str] = {
    "live": "on the page when last read",
    "missing": "not on the page when last read; a second reading decides",
    "rewording": "seems to be reworded; a second reading decides",
    "withdrawn": "withdrawn",
    "superseded": "no longer a claim under our changed rules",
}
CAUSES: Mapping[str, str] = {
    "source": "the source changed",
    "rules": "our rules changed",
    "review": "a reviewer decided",
}
KINDS: Mapping[str, str] = {
    "claim": "Claims",
    "notice": "Notices",
    "product": "Products",
    "organisation": "Organisations",
    "trial": "Trials",
    "publication": "Papers",
    "authorisation": "Authorisations",
}
HIT: Mapping[str, str] = {
    "claim": "Claim",
    "notice": "Notice",
    "product": "Product",
    "organisation": "Organisation",
    "trial": "Trial",
    "publication": "Paper",
    "authorisation": "Authorisation",
}
TIERS: Mapping[str, str] = {
    "core": "names exosomes or the like",
    "adjacent": "cell and tissue products, injectables",
    "other": "other",
}

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


def spoken(code: str) -> str:
    """A code without a name of its own, as words: `warning_letter` → "warning letter"."""
    return code.replace("_", " ")


def jurisdiction(code: str) -> str:
    return JURISDICTIONS.get(code, code.upper())


def category(code: str) -> str:
    return CATEGORIES.get(code, spoken(code))


def language(code: str) -> str:
    """A language by its ISO 639-1 code; one without a name here is shown by its code."""
    return LANGUAGES.get(code, code)


def event(kind: str) -> str:
    return EVENTS.get(kind, spoken(kind).capitalize())


def decision(code: str) -> str:
    return DECISIONS.get(code, spoken(code))


def state(code: str) -> str:
    return STATES.get(code, spoken(code))


def cause(code: str) -> str:
    return CAUSES.get(code, spoken(code))


def kind(code: str) -> str:
    return KINDS.get(code, spoken(code).capitalize())


def tier(code: str) -> str:
    return TIERS.get(code, spoken(code))


def counted(number: int, one: str, many: str = "") -> str:
    """`1 notice`, `2 notices`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
