"""The configuration: what is wrong in it stops everything, with file, line, key and the nearest valid name."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import plans
from monitor.config import (
    Config,
    ConfigError,
    DigestChoice,
    Rehearsal,
    Schedule,
    Site,
    Vocabulary,
    clock_change_at,
    config_path,
    installed_sources,
    live_flaw,
    load,
)
from monitor.config.file import read_marked

ROOT = Path(__file__).parents[3]
NAMES = Vocabulary(
    frozenset({"us_fda_warning_letters", "ca_hc_recalls"}),
    frozenset({"hair_regrowth", "disease_treatment"}),
    frozenset({"claim_appeared", "notice_published"}),
)


def flaws(tmp_path: Path, text: str) -> list[str]:
    """The complaint about a file, line by line, without the folder."""
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, NAMES)
    return [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]


def loaded(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, NAMES)


def test_the_shipped_configuration_loads_and_needs_only_a_contact() -> None:
    from monitor.commands.common import vocabulary

    config = load(ROOT / "config.yaml", vocabulary())
    assert set(config.sources) == {
        "us_fda_warning_letters",
        "us_openfda_drug_enforcement",
        "us_openfda_food_enforcement",
        "us_openfda_device_enforcement",
        "ca_hc_recalls",
        "us_federal_register",
        "us_clinicaltrials_trials",
        "us_ncbi_pubmed",
        "eu_europepmc_publications",
        "us_openfda_drugsfda",
    }
    assert all(choice.on and choice.schedule for choice in config.sources.values())
    assert config.sites == ()
    assert len(config.watchlists) == 2
    assert "contact: is empty" in live_flaw(config)
    assert set(config.sources) <= installed_sources()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "contact: a@b.example\nsources:\n  us_fda_waring_letters: {}\n",
            "config.yaml:3: sources.us_fda_waring_letters: no such source; did you mean us_fda_warning_letters?",
        ),
        ("parallel_run: 2\n", "config.yaml:1: parallel_run: no such key; did you mean parallel_runs?"),
        ("sorces:\n", "config.yaml:1: sorces: no such key; did you mean sources?"),
        (
            "sites:\n  - url: https://a.example/\n    pges:\n",
            "config.yaml:3: sites[0].pges: no such key; did you mean pages?",
        ),
        ("parallel_runs: two\n", 'config.yaml:1: parallel_runs: should be a valid integer, not "two"'),
        ('parallel_runs: "2"\n', 'config.yaml:1: parallel_runs: should be a valid integer, not "2"'),
        ("parallel_runs: 99\n", "config.yaml:1: parallel_runs: should be less than or equal to 16, not 99"),
        (
            "sources:\n  ca_hc_recalls:\n    on: yes\n",
            'config.yaml:3: sources.ca_hc_recalls.on: must be true or false, not "yes"',
        ),
        (
            "sources:\n  ca_hc_recalls:\n    schedule: {every: week}\n",
            "config.yaml:3: sources.ca_hc_recalls.schedule: every: week needs a weekday; add on: mon (or tue … sun)",
        ),
        (
            "sources:\n  ca_hc_recalls:\n    schedule: {every: month}\n",
            "config.yaml:3: sources.ca_hc_recalls.schedule: every: month needs a day of the month; add day: 1 (to 28)",
        ),
        (
            "sites:\n  - url: https://a.example/\n    schedule: {every: day, on: mon}\n",
            "config.yaml:3: sites[0].schedule: a weekday (on: mon) goes with every: week only; remove it or change",
        ),
        (
            "sites:\n  - url: https://a.example/\n    schedule: {every: day, day: 3}\n",
            "config.yaml:3: sites[0].schedule: a day of the month (day: 3) goes with every: month only",
        ),
        (
            "digest: {on: wen}\n",
            'config.yaml:1: digest.on: "wen" is none of mon, tue, wed, thu, fri, sat, sun; did you mean wed?',
        ),
        ("digest:\n  at: 25:10\n", "config.yaml:2: digest.at:"),
        (
            'digest:\n  at: "06:30+02:00"\n',
            'config.yaml:2: digest.at: must be hours and minutes without a zone, such as "06:30"',
        ),
        ("digest: {timezone: Berlin}\n", "config.yaml:1: digest.timezone: no time zone named 'Berlin'"),
        ("sites:\n  - name: A\n", "config.yaml:2: sites[0].url: is missing; add it"),
        ("sites:\n  - url: ftp://a.example/\n", "config.yaml:2: sites[0].url: must be a web address"),
        ("sites:\n  - url: https://a.example:x/\n", "config.yaml:2: sites[0].url: must be a web address"),
        (
            "sites:\n  - url: https://me:word@a.example/\n",
            "config.yaml:2: sites[0].url: holds a user name or password",
        ),
        (
            "sites:\n  - url: https://www.a.example/\n  - url: http://a.example/shop\n",
            "config.yaml:3: sites[1].url: 'http://a.example/shop' is already in line 2; keep one",
        ),
        (
            "watchlists:\n  - name: Hair\n    terms: [hair]\n  - name: hair\n    terms: [hair]\n",
            "config.yaml:4: watchlists[1].name: 'hair' is already in line 2; keep one",
        ),
        ('watchlists:\n  - name: A\n    terms: [" "]\n', "config.yaml:3: watchlists[0].terms: an empty term"),
        (
            "watchlists:\n  - name: A\n    categories: [hair_growth]\n",
            "config.yaml:3: watchlists[0].categories[0]: no such category: hair_growth; did you mean hair_regrowth?",
        ),
        (
            "watchlists:\n  - name: A\n    events: [claim_apeared]\n",
            "config.yaml:3: watchlists[0].events[0]: no such event: claim_apeared; did you mean claim_appeared?",
        ),
        (
            "watchlists:\n  - name: A\n    jurisdictions:\n      - us\n      - gb\n",
            "config.yaml:5: watchlists[0].jurisdictions[1]: no such jurisdiction: gb; did you mean uk?",
        ),
        (
            "jurisdictions: [us, xx]\n",
            "config.yaml:1: jurisdictions[1]: no such jurisdiction: xx; use an ISO 3166 code",
        ),
        ("digest: {jurisdictions: [qq]}\n", "config.yaml:1: digest.jurisdictions[0]: no such jurisdiction: qq"),
        (
            "rehearsal: {address: 10.0.0.1:80}\n",
            "config.yaml:1: rehearsal.address: must be a server on this machine, such as 127.0.0.1:8099",
        ),
        ("rehearsal:\n  address: 127.0.0.1:8099\n  now: 2026-11-16T00:00:00\n", "config.yaml:3: rehearsal.now:"),
        ("contact: a\ncontact: b\n", "config.yaml:2: contact: given twice, first in line 1; keep one"),
        ("jurisdictions: [US]\n", "config.yaml:1: jurisdictions[0]: no such jurisdiction: US; did you mean us?"),
        ("jurisdictions: [GB]\n", "config.yaml:1: jurisdictions[0]: no such jurisdiction: GB; did you mean uk?"),
        (
            "watchlists:\n  - name: A\n    terms: exosome\n",
            "config.yaml:3: watchlists[0].terms: must be a list, even of one: in [ ], or a line for each with a dash; "
            'not "exosome"',
        ),
        ("watchlists:\n  -\n", "config.yaml:2: watchlists[0]: must be keys with their values, not null"),
        ("network: 5\n", "config.yaml:1: network: must be keys with their values, not 5"),
        (
            "sources:\n  ca_hc_recalls:\n    since: 01.10.2026\n",
            'config.yaml:3: sources.ca_hc_recalls.since: must be a date such as 2026-11-16, not "01.10.2026"',
        ),
        (
            "watchlists:\n  - {name: A, terms: [x], until: 2027-13-01}\n",
            'config.yaml:2: watchlists[0].until: must be a date such as 2026-11-16, not "2027-13-01"',
        ),
        ("- a\n", "config.yaml:1: must be a mapping of keys to values"),
        ("contact: [\n", "config.yaml:2: not valid YAML:"),
        ("database: mysql://h/d\n", "config.yaml:1: database: is no database that is known"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    found = flaws(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(complaint)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("sites:\n\t- url: https://a.example/\n", "; indent with blanks, not with tabs"),
        (
            "digest:\n  title: Exosomes: weekly\n",
            '; put a value with a colon in it in quotes: title: "Exosomes: weekly"',
        ),
    ],
)
def test_a_slip_in_the_writing_itself_is_told_with_its_remedy(tmp_path: Path, text: str, remedy: str) -> None:
    (found,) = flaws(tmp_path, text)
    assert found.startswith("config.yaml:2: not valid YAML: ")
    assert found.endswith(remedy)


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "contact: 5\nsources:\n  ca_hc_recals: {}\nsites:\n  - url: x\n    pges: 4\n"
    found = flaws(tmp_path, text + "watchlists:\n  - name: A\n    events: [x]\n")
    assert [int(line.split(":")[1]) for line in found] == [1, 3, 5, 6, 9]


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@h/d", "postgresql://u@h/d?password=hunter2", "postgresql+psycopg://u:hunter2@h/d"]
)
def test_a_password_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    (complaint,) = flaws(tmp_path, f"database: {url}\n")
    assert "EXOWATCH_DATABASE_URL" in complaint
    assert "hunter2" not in complaint


def test_the_database_comes_from_the_environment_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Config(data=Path("d")).database_url == "sqlite:///d/exowatch.db"
    config = loaded(tmp_path, "database: postgresql://h/d\ndata: elsewhere\n")
    assert config.database_url == "postgresql://h/d"
    assert not config.database_is_missing
    monkeypatch.setenv("EXOWATCH_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    assert config.database_url == f"sqlite:///{tmp_path}/none.db"
    assert config.database_is_missing


def test_keys_left_empty_are_left_out(tmp_path: Path) -> None:
    config = loaded(tmp_path, "contact:\nsources:\n  ca_hc_recalls:\nsites:\nwatchlists:\ndigest:\n")
    assert config.contact == ""
    assert config.sources["ca_hc_recalls"].on
    assert config.sites == ()
    assert loaded(tmp_path, "# nothing but a remark\n") == Config()


@pytest.mark.parametrize(
    ("written", "meant"), [("12:30", time(12, 30)), ('"12:30"', time(12, 30)), ("06:05", time(6, 5))]
)
def test_a_time_is_a_time_with_or_without_quotes(tmp_path: Path, written: str, meant: time) -> None:
    # YAML 1.1 reads 12:30 as the number 750, which would be half past midnight.
    assert loaded(tmp_path, f"digest: {{at: {written}}}\n").digest.at == meant


def test_a_jurisdiction_named_no_is_norway(tmp_path: Path) -> None:
    config = loaded(tmp_path, "watchlists:\n  - name: Nordic\n    jurisdictions: [no, se]\n    until: 2027-01-31\n")
    assert config.watchlists[0].jurisdictions == ("no", "se")
    assert config.watchlists[0].until == date(2027, 1, 31)


def test_a_digest_is_not_set_to_a_time_that_the_clocks_skip_or_repeat(tmp_path: Path) -> None:
    (complaint,) = flaws(tmp_path, 'digest: {timezone: Europe/Berlin, at: "02:30"}\n')
    assert complaint.startswith("config.yaml:1: digest: at 02:30 the clocks change in Europe/Berlin")
    (complaint,) = flaws(tmp_path, 'digest: {timezone: America/New_York, at: "01:30"}\n')
    assert "America/New_York" in complaint
    assert loaded(tmp_path, 'digest: {timezone: UTC, at: "02:30"}\n').digest.at == time(2, 30)
    assert clock_change_at(time(6, 30), "Europe/Berlin") is None


def test_the_file_is_the_one_given_then_the_variables_then_the_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_path() == Path("config.yaml")
    monkeypatch.setenv("EXOWATCH_CONFIG", "/etc/exowatch.yaml")
    assert config_path() == Path("/etc/exowatch.yaml")
    assert config_path(Path("x.yaml")) == Path("x.yaml")


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file; give its path with --config"):
        load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"contact: \xe9\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_names_of_sources_are_checked_against_the_installed_cards_without_a_vocabulary(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("sources: {us_fda_warnin_letters: {}}\nwatchlists: [{name: A, categories: [anything]}]\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "did you mean us_fda_warning_letters?" in str(caught.value)
    assert "anything" not in str(caught.value)


@pytest.mark.parametrize("contact", ["", "  ", "me", "me@", "ü@x.example", "a b@x.example"])
def test_the_web_is_not_read_without_a_contact(contact: str) -> None:
    assert live_flaw(Config(contact=contact)).startswith("contact:")
    assert live_flaw(Config(contact=contact, rehearsal=Rehearsal(address="127.0.0.1:8099"))) == ""


@pytest.mark.parametrize("contact", ["desk@watch.example", "https://watch.example/about"])
def test_a_mail_or_web_address_is_a_contact(contact: str) -> None:
    assert live_flaw(Config(contact=contact)) == ""


def test_a_sites_id_comes_from_its_host() -> None:
    assert Site(url="https://www.Follica-Labs.example/shop").source_id == "site_follica_labs_example"
    assert Site(url="http://127.0.0.1:8080/").source_id == "site_127_0_0_1_8080"


def test_sources_without_a_schedule_follow_their_card() -> None:
    config = Config.model_validate(
        {
            "sources": {"us_fda_warning_letters": {}, "ca_hc_recalls": {"on": False}},
            "sites": [{"url": "https://a.example/"}],
        }
    )
    assert [plan.source_id for plan in plans(config)] == ["us_fda_warning_letters", "site_a_example"]
    assert plans(config)[1].schedule == Schedule(every="day")


def test_a_change_of_the_configuration_changes_its_digest() -> None:
    assert Config().digest_of() == Config().digest_of()
    assert Config().digest_of() != Config(digest=DigestChoice(title="Other")).digest_of()


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    marked = read_marked(text)
    assert marked.flaws or isinstance(marked.values, dict)
    assert all(flaw.message for flaw in marked.flaws)


@given(
    st.dictionaries(
        st.sampled_from([*Config.model_fields, "sorces", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "name", "at", "on"]), inner)
            ),
            max_leaves=8,
        ),
        max_size=5,
    )
)
def test_whatever_is_written_is_either_loaded_or_explained(values: dict[str, object]) -> None:
    import tempfile

    import yaml

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
        found: Config | ConfigError
        try:
            found = load(file, NAMES)
        except ConfigError as error:
            found = error
    if isinstance(found, ConfigError):
        assert found.flaws
        assert all(flaw.line >= 1 and flaw.message for flaw in found.flaws)
    else:
        assert set(values) <= set(Config.model_fields)
