"""What the demo web looks like in which week: a list of states, each an edit of the one before."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

DATA = Path(__file__).parent / "data"
WEEKS_FILE = DATA / "weeks.yaml"


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Edit(Strict):
    """One change of one page, or of a whole host. What it should lead to stands beside it."""

    page: str = ""
    """Address of the page."""
    replace: str = ""
    """Text that stands exactly once in the page's source so far."""
    by: str = ""
    gone: bool = False
    block: str = ""
    """Host that answers everything but robots.txt with an apology from this week on."""
    event: Literal["appeared", "reworded", "withdrawn", "noise", "gone", "blind"]
    why: str = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [bool(self.replace), self.gone, bool(self.block)]
        if sum(kinds) != 1:
            raise ValueError("an edit needs exactly one of: replace, gone, block")
        if not self.block and not self.page:
            raise ValueError("an edit that replaces or removes needs the address of its page")
        return self


class Week(Strict):
    """A state of the demo web, from `first_day` until the next one's."""

    id: str = Field(pattern=r"^\d{4}-W\d{2}$")
    first_day: date
    edits: tuple[Edit, ...] = ()


class Weeks:
    """The states in order of time."""

    def __init__(self, weeks: tuple[Week, ...]) -> None:
        if not weeks or list(weeks) != sorted(weeks, key=lambda week: week.first_day):
            raise ValueError("there must be at least one week, in order of their first days")
        self.all = weeks
        self._order = {week.id: place for place, week in enumerate(weeks)}

    @classmethod
    def load(cls, path: Path = WEEKS_FILE) -> Weeks:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls(tuple(Week.model_validate(week) for week in raw["weeks"]))

    @property
    def first(self) -> Week:
        return self.all[0]

    def on(self, day: date) -> Week:
        """The state on this day; days before the first week show the first."""
        begun = [week for week in self.all if week.first_day <= day]
        return begun[-1] if begun else self.first

    def has_begun(self, week_id: str, now: Week) -> bool:
        """Whether a week of this id began no later than `now`. Raises KeyError for an unknown id."""
        return not week_id or self._order[week_id] <= self._order[now.id]

    def edits_until(self, now: Week) -> list[tuple[Week, Edit]]:
        return [(week, edit) for week in self.all if week.first_day <= now.first_day for edit in week.edits]

    def blocked_hosts(self, now: Week) -> set[str]:
        return {edit.block for _, edit in self.edits_until(now) if edit.block}
