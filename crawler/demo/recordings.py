"""Real recorded responses of official sites, served under their own hosts in their live wire shape.

Reads the folder of samples given to it and changes nothing in it. What was not recorded is a plain 404:
never a block page, and never something made up.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from crawler.demo import datatables, openfda
from crawler.demo.datatables import LETTERS, Row
from crawler.demo.loopback import HTML, JSON, Answer, App, Question, not_found, unknown_host
from crawler.demo.regulators import RECALLS_FILE

FDA_HOST = "www.fda.gov"
OPENFDA_HOST = "api.fda.gov"
CANADA_HOST = "recalls-rappels.canada.ca"
NOUNS = ("drug", "food", "device")
NOT_RECORDED = "This page was not recorded."


class SamplesMissingError(Exception):
    """The folder of samples, or a file in it, is not there."""


def _american_date(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()


class WarningLetters:
    """FDA's list as recorded on 2026-03-23 (3,374 rows, in its order), and the letter pages that were recorded."""

    def __init__(self, folder: Path) -> None:
        with (folder / "warning_letters_listing_2026-03-23.csv").open(encoding="utf-8", newline="") as file:
            self.rows = [self._row(row) for row in csv.DictReader(file)]
        self.pages = {path.stem: path for path in sorted((folder / "pages").glob("*.html"))}

    @staticmethod
    def _row(row: Mapping[str, str]) -> Row:
        posted, issued = _american_date(row["posted_date"]), _american_date(row["letter_date"])
        return Row(row["url"], posted, issued, row["company"], row["issuing_office"], row["subject"])

    def __call__(self, question: Question) -> Answer:
        if question.path == datatables.ENDPOINT:
            return datatables.answer(question, self.rows)
        page = self.pages.get(question.path.removeprefix(LETTERS)) if question.path.startswith(LETTERS) else None
        return Answer(page.read_bytes(), content_type=HTML) if page else not_found(NOT_RECORDED)


class OpenFda:
    """FDA's own example of one enforcement report for each noun, and openFDA's recorded error bodies."""

    def __init__(self, folder: Path) -> None:
        self.examples: dict[str, Any] = {
            f"/{noun}/enforcement.json": json.loads(
                (folder / f"official_example_{noun}_enforcement.json").read_text(encoding="utf-8")
            )
            for noun in NOUNS
        }
        self.errors = self._recorded_errors(folder / "vcr_http_errors.yml")

    @staticmethod
    def _recorded_errors(file: Path) -> dict[int, Answer]:
        recorded = yaml.safe_load(file.read_text(encoding="utf-8"))
        return {
            response["status"]["status_code"]: Answer(
                response["body"]["string"], status=response["status"]["status_code"], content_type=JSON
            )
            for response in (exchange["response"] for exchange in recorded["http_interactions"])
        }

    def __call__(self, question: Question) -> Answer:
        example = self.examples.get(question.path)
        if example is None:
            return self.errors[404]
        answer = openfda.answer(question, [example["result"]], example["meta"]["meta"])
        return self.errors.get(answer.status, answer) if answer.status >= 400 else answer


class CanadianRecalls:
    """Records of Health Canada's snapshot of 2026-08-21, those that were kept; no detail page was recorded."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("HCRSAMOpenData_*_records.json"))
        if not files:
            raise SamplesMissingError(f"{folder}: no HCRSAMOpenData_*_records.json")
        self.records = [record for file in files for record in json.loads(file.read_text(encoding="utf-8"))]

    def __call__(self, question: Question) -> Answer:
        if question.path == RECALLS_FILE:
            return Answer(json.dumps(self.records, ensure_ascii=False), content_type=JSON)
        return not_found(NOT_RECORDED)


class Recordings:
    """Answers for the recorded hosts. Raises SamplesMissingError naming what is not there."""

    def __init__(self, samples: Path) -> None:
        us = samples / "us"
        try:
            self.letters = WarningLetters(us / "fda_warning_letters")
            self.openfda = OpenFda(us / "openfda")
            self.recalls = CanadianRecalls(samples / "world" / "canada_hc")
        except FileNotFoundError as error:
            raise SamplesMissingError(
                f"{error.filename} is not there; give the folder of samples by --samples"
            ) from error
        self._hosts: dict[str, App] = {
            FDA_HOST: self.letters,
            OPENFDA_HOST: self.openfda,
            CANADA_HOST: self.recalls,
        }

    def __call__(self, question: Question) -> Answer:
        desk = self._hosts.get(question.host)
        if desk is None:
            return unknown_host(question.host)
        # No robots.txt was recorded; openFDA's own is known to answer 404.
        return not_found(NOT_RECORDED) if question.path == "/robots.txt" else desk(question)
