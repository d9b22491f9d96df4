"""The same wording on several sites: claims whose words are near the same form a cluster, whoever they stand with.

Two wordings are near the same where at least `NEAR` of their letters agree (Indel likeness), either as they stand or
with each one's own names left out: sister sites sell the same text under other brands. What follows from that is a
cluster: it depends on the wordings that are held alone, and not on the order in which they were read.

Which wordings are compared at all is told by MinHash (Broder 1997) over trigrams of characters, in bands: two that
are near share one of twenty keys. The keys are stored, so they must come out the same with every version of every
library; that is why the few lines of it are here. Trigrams of characters need no spaces between words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any, Generic, TypeVar

import numpy as np
from rapidfuzz import fuzz
from sqlalchemy import delete, insert, text
from sqlmodel import Session, col, select, update

from monitor.products.names import letters, own_words
from monitor.reading.surroundings import around
from monitor.reading.text import Document, fold
from monitor.tables.clusters import ClaimCluster, ClusterBand, ClusterWording
from monitor.tables.db import id_of
from monitor.tables.models import Claim, Organisation, Page, PageVersion, Product

NEAR = 90.0
"""Least likeness (0–100, share of letters that agree) of two wordings of one cluster."""
FEWEST_WORDS = 5
"""A shorter wording says nothing by itself: "clinically proven results" stands on sites that share nothing. It is
compared with what stands around it: the same sentence, or the same list of diseases."""
_MOST_NAMES = 3
"""Words of names that a short wording may hold."""
_FEWEST_AROUND = 8
"""Words around a short wording by which its place is known again."""
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
)
_LEFT_OUT = "…"
_BANDS, _ROWS = 20, 3
_CHUNK = 900
"""Below SQLite's oldest limit of 999 bound values."""
_K = TypeVar("_K", int, str)
_LOCK = 0x65786F77  # "exow": any number that nothing else locks


@dataclass(frozen=True)
class Form:
    """A wording as it is compared: letters and numbers alone, with and without names.

    Of a short wording a second line follows: what stands around it. Its own words must then be the same to the letter.
    """

    words: str
    nameless: str

    @property
    def digest(self) -> str:
        return sha256(f"{self.words}\0{self.nameless}".encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def is_long_enough(self) -> bool:
        own, placed, _ = self.nameless.partition("\n")
        return _weight(own) >= (1 if placed else FEWEST_WORDS)

    def bands(self) -> frozenset[int]:
        return frozenset(
            _placed_bands(self.words) + (_placed_bands(self.nameless) if self.nameless != self.words else ())
        )

    def is_near(self, other: Form) -> bool:
        return _are_near(self.words, other.words) or _are_near(self.nameless, other.nameless)


def _are_near(one: str, other: str) -> bool:
    (own, placed, _), (theirs, also, _) = one.partition("\n"), other.partition("\n")
    if placed or also:
        return own == theirs and placed == also and fuzz.ratio(one, other, score_cutoff=NEAR) > 0
    return fuzz.ratio(one, other, score_cutoff=NEAR) > 0


def _placed_bands(words: str) -> tuple[int, ...]:
    """Keys under which only the same short wording finds itself; of a long wording its own."""
    own, placed, around_it = words.partition("\n")
    if not placed:
        return _bands(words)
    salt = blake2b(own.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return tuple(
        int.from_bytes(
            blake2b(band.to_bytes(8, "little", signed=True), digest_size=8, salt=salt).digest(), "little", signed=True
        )
        for band in _bands(around_it)
    )


def form_of(quote: str, names: Iterable[str] = (), surroundings: str = "") -> Form:
    """A quote as it is compared. `names`: of seller and product; `surroundings`: of a short one, what stands there."""
    own = frozenset[str]().union(*(own_words(letters(fold(name).text)) for name in names))
    words = letters(fold(quote).text)
    nameless = _without(words, own)
    if not surroundings or _weight(nameless) >= FEWEST_WORDS:
        return Form(words, nameless)
    placed = letters(fold(surroundings).text)
    return Form(f"{words}\n{placed}", f"{nameless}\n{_without(placed, own)}")


def _without(words: str, names: Collection[str]) -> str:
    return " ".join(_LEFT_OUT if word in names else word for word in words.split())


def may_be_short(quote: str) -> bool:
    """May it be too short to be compared by itself, once its names are left out?"""
    return _weight(letters(fold(quote).text)) < FEWEST_WORDS + _MOST_NAMES


def is_known_again(surroundings: str) -> bool:
    return _weight(letters(fold(surroundings).text)) >= _FEWEST_AROUND


def _weight(words: str) -> float:
    """How many words; of writing without spaces two characters count as one."""
    spaceless = len(_SPACELESS.findall(words))
    spaced = _SPACELESS.sub(" ", words).replace(_LEFT_OUT, " ").split()
    return len(spaced) + spaceless / 2


def _numbers(purpose: str) -> Any:
    """As many 64-bit numbers as there are hashes, the same ones for ever."""
    made = b"".join(blake2b(f"{purpose} {n}".encode(), digest_size=8).digest() for n in range(_BANDS * _ROWS))
    return np.frombuffer(made, dtype="<u8")


_FACTORS, _ADDENDS = _numbers("factor") | np.uint64(1), _numbers("addend")


def _bands(words: str) -> tuple[int, ...]:
    """The keys of a wording: each of three minima of its trigrams under hashes of their own (multiply-shift)."""
    trigrams = sorted({words[at : at + 3] for at in range(max(len(words) - 2, 1))})
    digests = b"".join(blake2b(each.encode("utf-8", "surrogatepass"), digest_size=8).digest() for each in trigrams)
    minima = (np.frombuffer(digests, dtype="<u8")[:, None] * _FACTORS + _ADDENDS).min(axis=0).astype("<u8")
    rows = minima.reshape(_BANDS, _ROWS)
    return tuple(
        int.from_bytes(blake2b(row.tobytes(), digest_size=8, salt=bytes([number])).digest(), "little", signed=True)
        for number, row in enumerate(rows)
    )


def components(forms: Mapping[int, Form]) -> list[frozenset[int]]:
    """Which of these belong together: each key once, in exactly one component. Pure."""
    met: dict[int, list[int]] = defaultdict(list)
    for key, form in forms.items():
        for band in form.bands():
            met[band].append(key)
    joined = _Joined(forms)
    for keys in met.values():
        for number, key in enumerate(keys):
            for other in keys[number + 1 :]:
                if joined.root(key) != joined.root(other) and forms[key].is_near(forms[other]):
                    joined.join(key, other)
    return joined.components()


class _Joined(Generic[_K]):
    """Union–find over keys; a key that was not named yet stands alone."""

    def __init__(self, keys: Iterable[_K] = ()) -> None:
        self._parent: dict[_K, _K] = {key: key for key in keys}

    def root(self, key: _K) -> _K:
        parent = self._parent
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(self, one: _K, other: _K) -> None:
        self._parent[self.root(one)] = self.root(other)

    def components(self) -> list[frozenset[_K]]:
        found: dict[_K, set[_K]] = defaultdict(set)
        for key in list(self._parent):
            found[self.root(key)].add(key)
        return [frozenset(keys) for keys in found.values()]


def group(session: Session, claims: Iterable[Claim], fresh: Collection[int] | None = None) -> None:
    """Bring the clusters up to the wordings that these claims have now. Claims that are grouped rightly cost little.

    `fresh`: pages whose text may be another one, by id; left out: all. What stands around a short wording is looked at
    there alone.
    """
    wanted = {id_of(claim): claim for claim in claims}
    if not wanted:
        return
    if session.get_bind().dialect.name == "postgresql":
        # Two at a time would not see each other's new wordings, and both would miss that they are near.
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    _Grouping(session, wanted, fresh).bring_up()


class _Grouping:
    """One run's claims on their way into the clusters."""

    def __init__(self, session: Session, claims: dict[int, Claim], fresh: Collection[int] | None) -> None:
        self._session = session
        self._claims = claims
        self._fresh = fresh
        self._held: dict[int, ClaimCluster] = {}
        self._torn: set[str] = set()
        """Clusters that lost a wording: what is left may hold together no more."""

    def bring_up(self) -> None:
        for some in _chunks(self._claims):
            found = self._session.exec(select(ClaimCluster).where(col(ClaimCluster.claim_id).in_(some)))
            self._held |= {row.claim_id: row for row in found}
        forms = _forms(self._session, self._claims, self._contexts())
        wordings = self._wordings(forms)
        moved: set[int] = set()
        for claim_id, form in forms.items():
            wording_id, held = id_of(wordings[form.digest]), self._held.get(claim_id)
            if held is None:
                self._session.add(ClaimCluster(claim_id=claim_id, wording_id=wording_id))
            elif held.wording_id != wording_id:
                moved.add(held.wording_id)
                held.wording_id = wording_id
                self._session.add(held)
        self._session.flush()
        self._forget(moved)
        for cluster in sorted(self._torn):
            self._settle(self._members([cluster]))

    def _contexts(self) -> dict[int, str]:
        """What stands around each short wording. Those that are grouped, and whose page is as it was, are left out."""
        for key, claim in list(self._claims.items()):
            held = key in self._held and self._fresh is not None and claim.page_id not in self._fresh
            if held and may_be_short(claim.quote):
                del self._claims[key]
        return _surroundings(self._session, [claim for claim in self._claims.values() if may_be_short(claim.quote)])

    def _wordings(self, forms: Mapping[int, Form]) -> dict[str, ClusterWording]:
        """The row of each wording, by digest; new ones are made and put where they belong."""
        by_digest = {form.digest: form for form in forms.values()}
        found: dict[str, ClusterWording] = {}
        for some in _chunks(by_digest):
            rows = self._session.exec(select(ClusterWording).where(col(ClusterWording.digest).in_(some)))
            found |= {row.digest: row for row in rows}
        new = [digest for digest in sorted(by_digest) if digest not in found]
        for digest in new:
            form = by_digest[digest]
            cluster = digest if form.is_long_enough else ""
            found[digest] = ClusterWording(digest=digest, words=form.words, nameless=form.nameless, cluster=cluster)
            self._session.add(found[digest])
        self._session.flush()
        self._place([found[digest] for digest in new if found[digest].cluster])
        return found

    def _place(self, new: Sequence[ClusterWording]) -> None:
        """Put new wordings into the clusters of those that they are near to; what they bridge becomes one."""
        bands = {id_of(row): _form(row).bands() for row in new}
        if bands:
            told = [{"band": band, "wording_id": key} for key, found in bands.items() for band in sorted(found)]
            self._session.execute(insert(ClusterBand), told)
        met: dict[int, set[int]] = defaultdict(set)
        for some in _chunks({band for found in bands.values() for band in found}):
            for band, key in self._session.exec(
                select(ClusterBand.band, ClusterBand.wording_id).where(col(ClusterBand.band).in_(some))
            ):
                met[band].add(key)
        rows = self._rows({key for keys in met.values() for key in keys})
        joined = _Joined[str]()
        for row in new:
            form, own = _form(row), row.cluster
            for key in sorted({key for band in bands[id_of(row)] for key in met[band]}):
                other = rows[key].cluster
                if joined.root(other) != joined.root(own) and form.is_near(_form(rows[key])):
                    joined.join(other, own)
        for clusters in joined.components():
            self._merge(clusters)

    def _merge(self, clusters: Collection[str]) -> None:
        """Make one of these. Rows are read anew where they are needed after this: see `_rows`."""
        kept = min(clusters)
        for some in _chunks(cluster for cluster in clusters if cluster != kept):
            self._session.execute(
                update(ClusterWording)
                .where(col(ClusterWording.cluster).in_(some))
                .values(cluster=kept)
                .execution_options(synchronize_session=False)
            )

    def _forget(self, wording_ids: Collection[int]) -> None:
        """Wordings that no claim has any more go, and with them what only they held together."""
        for some in _chunks(wording_ids):
            used = set(
                self._session.exec(select(ClaimCluster.wording_id).where(col(ClaimCluster.wording_id).in_(some)))
            )
            gone = [key for key in some if key not in used]
            rows = self._rows(gone).values()
            self._torn |= {row.cluster for row in rows if row.cluster}
            self._session.exec(delete(ClusterBand).where(col(ClusterBand.wording_id).in_(gone)))
            for row in rows:
                self._session.delete(row)
            self._session.flush()

    def _members(self, clusters: Collection[str]) -> list[ClusterWording]:
        statement = select(ClusterWording).where(col(ClusterWording.cluster).in_(clusters))
        return list(self._session.exec(statement.execution_options(populate_existing=True)))

    def _settle(self, members: Sequence[ClusterWording]) -> None:
        rows = {id_of(row): row for row in members}
        for keys in components({key: _form(row) for key, row in rows.items()}):
            least = min(rows[key].digest for key in keys)
            for key in keys:
                rows[key].cluster = least
                self._session.add(rows[key])
        self._session.flush()

    def _rows(self, keys: Collection[int]) -> dict[int, ClusterWording]:
        found: dict[int, ClusterWording] = {}
        for some in _chunks(keys):
            statement = select(ClusterWording).where(col(ClusterWording.id).in_(some))
            rows = self._session.exec(statement.execution_options(populate_existing=True))
            found |= {id_of(row): row for row in rows}
        return found


def _form(row: ClusterWording) -> Form:
    return Form(row.words, row.nameless)


def _surroundings(session: Session, claims: Sequence[Claim]) -> dict[int, str]:
    """What stands around each of these claims in the version of the page that has it, by claim."""
    found: dict[int, str] = {}
    by_version: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_version[claim.version_id].append(claim)
    for some in _chunks(by_version):
        columns = select(PageVersion.id, PageVersion.text, PageVersion.document).where(col(PageVersion.id).in_(some))
        for version, words, stored in session.exec(columns):
            document = Document.from_json(words, stored)
            for claim in by_version[version or 0]:
                found[id_of(claim)] = around(document, claim.start, claim.end, is_known_again)
    return found


def _forms(session: Session, claims: Mapping[int, Claim], places: Mapping[int, str]) -> dict[int, Form]:
    """How each claim's wording is compared, with what its product and its page's firm are called."""
    products = _named(session, Product, {claim.product_id for claim in claims.values()})
    owners: dict[int, int | None] = {}
    for some in _chunks({claim.page_id for claim in claims.values()}):
        rows = session.exec(select(Page.id, Page.organisation_id).where(col(Page.id).in_(some)))
        owners |= {key or 0: owner for key, owner in rows}
    firms = _named(session, Organisation, set(owners.values()))
    return {
        key: form_of(
            claim.quote,
            (products.get(claim.product_id, ""), firms.get(owners.get(claim.page_id), "")),
            places.get(key, ""),
        )
        for key, claim in claims.items()
    }


def _named(session: Session, table: type[Product] | type[Organisation], ids: Collection[int | None]) -> dict[Any, str]:
    found: dict[Any, str] = {}
    for some in _chunks(key for key in ids if key is not None):
        found |= dict(session.exec(select(table.id, table.name).where(col(table.id).in_(some))).all())
    return found


def _chunks(values: Iterable[_K]) -> Iterator[list[_K]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
