"""Writing the append-only history: each happening once, with its cause."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from monitor.tables.models import Cause, Event, EventKind


class Chronicle:
    """Writes the events of one run, or of one change of rules."""

    def __init__(
        self, session: Session, *, run_id: str | None, source_id: str, baseline: bool, occasion: str = ""
    ) -> None:
        self._session = session
        self.run_id = run_id
        self.source_id = source_id
        self._occasion = occasion or run_id or ""
        self.baseline = baseline
        self.events: list[Event] = []
        if not self._occasion:
            raise ValueError("an event needs the run or the occasion that it comes from")

    @property
    def run(self) -> str:
        """The run these events come from. Raises LookupError for a change of rules, which has none."""
        if self.run_id is None:
            raise LookupError(f"no run: {self._occasion}")
        return self.run_id

    def write(
        self,
        kind: EventKind,
        cause: Cause,
        *,
        object_kind: str,
        object_id: int | str,
        at: datetime,
        jurisdictions: list[str],
        detail: dict[str, Any],
        severity: str = "",
        baseline: bool | None = None,
    ) -> None:
        """Add one line to the history, unless this very happening stands there already."""
        dedupe = f"{self._occasion}|{kind}|{object_kind}|{object_id}"
        if self._session.exec(select(Event.id).where(Event.dedupe_key == dedupe)).first() is not None:
            return
        event = Event(
            at=at,
            kind=kind,
            cause=cause,
            source_id=self.source_id,
            run_id=self.run_id,
            object_kind=object_kind,
            object_id=str(object_id),
            jurisdictions=jurisdictions,
            severity=severity,
            detail=detail,
            baseline=self.baseline if baseline is None else baseline,
            dedupe_key=dedupe,
        )
        self._session.add(event)
        self._session.flush()
        self.events.append(event)
