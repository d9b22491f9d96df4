"""The whole demo web: which host is answered by whom."""

from __future__ import annotations

from crawler.demo.loopback import Answer, Question, unknown_host
from crawler.demo.regulators import (
    ALERTS_HOST,
    LETTERS_HOST,
    EnforcementDesk,
    LetterDesk,
    RecallDesk,
)
from crawler.demo.sites import load_sites
from crawler.demo.weeks import DATA, Weeks


class DemoWeb:
    """Answers for every host of the demo web. Raises ValueError at once if its data contradict each other."""

    def __init__(self, weeks: Weeks | None = None) -> None:
        self.weeks = weeks or Weeks.load()
        self.letters = LetterDesk(LETTERS_HOST, DATA / "letters.yaml", "Federal Drug Office", self.weeks)
        self.alerts = LetterDesk(ALERTS_HOST, DATA / "alerts.yaml", "Demo Medicines Agency", self.weeks)
        self.enforcement = EnforcementDesk(self.weeks)
        self.recalls = RecallDesk(self.weeks)
        self.sites = load_sites(self.weeks)
        self._hosts = {
            desk.host: desk for desk in (self.letters, self.alerts, self.enforcement, self.recalls)
        } | self.sites

    @property
    def hosts(self) -> list[str]:
        return sorted(self._hosts)

    def __call__(self, question: Question) -> Answer:
        desk = self._hosts.get(question.host)
        return desk.answer(question) if desk else unknown_host(question.host)
