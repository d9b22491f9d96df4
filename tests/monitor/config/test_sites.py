"""Adding a site to the operator's file and taking one out changes its lines, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Config, Site, Vocabulary, load
from monitor.config.edit import EditError
from monitor.config.sites import SiteRefusedError, add_site, entry_of, remove_site, site_to_add

NAMES = Vocabulary(sources=frozenset({"us_a"}))
LUMA = Site(url="https://luma.example/", name="Luma: Labs", pages=50)


def file_with(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("contact: a@b.example", "contact: a@b.example\nsites:\n  - url: https://luma.example/\n    name: 'Luma"),
        ("sites: []  # none yet\ncontact: a@b.example\n", "sites:  # none yet\n  - url: https://luma.example/\n"),
        ("sites:\ncontact: a@b.example\n", "    pages: 50\ncontact: a@b.example\n"),
        (
            "sites:\n- url: https://kelda.example/ # ours\n  start:\n    - https://k.example/a\n\n# then\ncontact: x\n",
            "    - https://k.example/a\n- url: https://luma.example/\n  name: 'Luma: Labs'\n  pages: 50\n\n# then\n",
        ),
        (
            "sites:\n    -\n      url: https://kelda.example/\n    # last\n",
            "      url: https://kelda.example/\n    - url: https://luma.example/\n      name: 'Luma: Labs'\n",
        ),
        (
            "sites: [{url: https://kelda.example/}]\n",
            "sites: [{url: 'https://luma.example/', name: 'Luma: Labs', pages: 50}, {url: https://kelda.example/}]\n",
        ),
    ],
)  # fmt: skip
def test_a_site_is_added_and_taken_out_again(tmp_path: Path, before: str, after: str) -> None:
    file = file_with(tmp_path, before)
    held = load(file, NAMES).sites

    add_site(file, LUMA, NAMES)
    assert after in file.read_text(encoding="utf-8")
    assert set(load(file, NAMES).sites) == {*held, LUMA}
    assert list(tmp_path.iterdir()) == [file]

    if "[{" not in before:
        remove_site(file, LUMA.source_id, NAMES)
        assert load(file, NAMES).sites == held
        for comment in ("# ours", "# then", "# last", "# none yet"):
            assert (comment in file.read_text(encoding="utf-8")) == (comment in before)


def test_the_last_site_leaves_an_empty_list(tmp_path: Path) -> None:
    file = file_with(tmp_path, "sites: # mine\n  # the best\n  - url: https://luma.example/\n    on: false\n# end\n")
    remove_site(file, LUMA.source_id, NAMES)
    assert file.read_text(encoding="utf-8") == "sites: [] # mine\n  # the best\n# end\n"


def test_what_is_written_otherwise_is_told_and_not_guessed(tmp_path: Path) -> None:
    before = "sites: [{url: https://kelda.example/}, {url: https://luma.example/}]\n"
    file = file_with(tmp_path, before)
    with pytest.raises(EditError, match="take out the entry in line 1"):
        remove_site(file, LUMA.source_id, NAMES)
    assert file.read_text(encoding="utf-8") == before

    quoted = '"sites": &all\n  - url: https://kelda.example/\n"watchlists": []\n'
    file = file_with(tmp_path, quoted)
    add_site(file, LUMA, NAMES)
    assert [site.url for site in load(file, NAMES).sites] == ["https://kelda.example/", "https://luma.example/"]


def test_an_entry_says_what_was_said_and_no_more() -> None:
    assert entry_of(Site(url="https://luma.example/")) == "- url: https://luma.example/\n"
    assert entry_of(LUMA) == "- url: https://luma.example/\n  name: 'Luma: Labs'\n  pages: 50\n"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("luma.example", "https://luma.example/"),
        (" http://www.luma.example/en/#top ", "http://www.luma.example/en/"),
        ("https://luma.example:8443/", "https://luma.example:8443/"),
    ],
)
def test_an_address_is_taken_as_people_write_it(address: str, url: str) -> None:
    assert site_to_add(Config(), address).url == url


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "no address is given"),
        ("http://127.0.0.1/", "127.0.0.1 is not a public address"),
        ("http://169.254.169.254/latest", "is not a public address"),
        ("http://[::1]/", "::1 is not a public address"),
        ("http://2130706433/", "a number in place of a name"),
        ("http://0x7f.1/", "a number in place of a name"),
        ("localhost:8000", "a name of this machine"),
        ("https://shop.intranet/", "within a private network"),
        ("ftp://luma.example/", "must be a web address"),
        ("https://me:secret@luma.example/", "holds a user name or password"),
        ("https://www.instagram.com/luma", "no seller's own site"),
        ("https://www.fda.gov/", "no seller's own site"),
        ("http://www.kelda.example/serum", "is there already, as https://kelda.example/ (site_kelda_example)"),
        ("https://shop.kelda.example/", "is read already with https://kelda.example/"),
    ],
)
def test_what_is_not_added_and_why(address: str, why: str) -> None:
    config = Config(sites=(Site(url="https://kelda.example/"),))
    with pytest.raises(SiteRefusedError) as refused:
        site_to_add(config, address)
    assert why in str(refused.value)
