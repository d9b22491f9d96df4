"""Digests that were written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col, select

from monitor.queries.rows import DigestRow
from monitor.queries.standing import digest_row
from monitor.tables.db import reading, transaction
from monitor.tables.models import DigestIssue, DigestRewriting


def digests(engine: Engine) -> tuple[DigestRow, ...]:
    """Every digest, the latest period first."""
    with reading(engine) as session:
        issues = session.exec(select(DigestIssue).order_by(col(DigestIssue.period_to).desc(), col(DigestIssue.name)))
        return tuple(digest_row(issue) for issue in issues)


def digest(engine: Engine, name: str) -> DigestRow | None:
    """A digest by its name; None if it was never written."""
    with reading(engine) as session:
        issue = session.exec(select(DigestIssue).where(DigestIssue.name == name.replace("\0", ""))).first()
        return digest_row(issue) if issue else None


def remember_digest(
    engine: Engine,
    name: str,
    *,
    period_from: datetime,
    period_to: datetime,
    written_at: datetime,
    sha256: str,
    counts: Mapping[str, Any],
) -> None:
    """Note a digest as written; one that is written again takes the place of the earlier.

    What the earlier one said is kept if its period was over by then: others have read it as final.
    """
    with transaction(engine) as session:
        issue = session.exec(select(DigestIssue).where(DigestIssue.name == name)).first()
        if issue is None:
            issue = DigestIssue(
                name=name, period_from=period_from, period_to=period_to, written_at=written_at, sha256=sha256
            )
        elif issue.sha256 != sha256 and issue.written_at >= issue.period_to:
            session.add(_rewriting(issue, written_at, counts))
        issue.period_from, issue.period_to = period_from, period_to
        issue.written_at, issue.sha256, issue.counts = written_at, sha256, dict(counts)
        session.add(issue)


def _rewriting(issue: DigestIssue, replaced_at: datetime, counts: Mapping[str, Any]) -> DigestRewriting:
    return DigestRewriting(
        name=issue.name,
        written_at=issue.written_at,
        replaced_at=replaced_at,
        sha256=issue.sha256,
        counts=dict(issue.counts),
        counts_after=dict(counts),
    )
