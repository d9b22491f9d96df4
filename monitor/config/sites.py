"""Putting a site into the operator's own file, and taking one out: its lines alone are changed, comments stay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from socket import inet_aton

import yaml
from pydantic import ValidationError

from monitor.config import Config, Site, Vocabulary, load
from monitor.config.edit import EditError, replaced_by_one_that_reads
from monitor.config.file import read_marked
from monitor.webname import host_of, may_be_seller, site_of

_LOCAL = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".private", ".home.arpa")
_ITEM = re.compile(r"(\s*)-(\s|$)")
_LONE_DASH = re.compile(r"\s*-\s*(#.*)?\s*")


class SiteRefusedError(Exception):
    """This address is not added: the message says why, and what to give instead."""


def site_to_add(config: Config, address: str, **choices: object) -> Site:
    """The entry for an address as people write it. Raises SiteRefusedError. Nothing is asked of the site.

    `choices`: further keys of the entry, where they are given.
    """
    text = address.strip()
    if not text:
        raise SiteRefusedError("no address is given; give the site's, such as https://clinic.example/")
    url = (text if "://" in text else f"https://{text}").partition("#")[0]
    try:
        site = Site.model_validate({"url": url if url.count("/") > 2 else f"{url}/", **choices})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        what = str(first["ctx"]["error"]) if "ctx" in first and "error" in first["ctx"] else first["msg"].lower()
        raise SiteRefusedError(f"{text}: {key} {what}") from error
    host = host_of(site.url)
    if reason := _why_private(host):
        raise SiteRefusedError(f"{text}: {reason}; only what anyone can reach is read")
    if not site_of(site.url):
        raise SiteRefusedError(f"{text}: {host} is no name of a site")
    for known in config.sites:
        if known.source_id == site.source_id:
            raise SiteRefusedError(f"{text}: is there already, as {known.url} ({known.source_id})")
        if host.endswith(f".{host_of(known.url).removeprefix('www.')}"):
            raise SiteRefusedError(f"{text}: is read already with {known.url}, as every host below that one")
    if not may_be_seller(site_of(site.url)):
        raise SiteRefusedError(f"{text}: is a platform, a service or an authority, and no seller's own site")
    return site


def _why_private(host: str) -> str:
    try:
        literal = ip_address(host.strip("[]"))
    except ValueError:
        pass  # a name, or an address in one of the forms that C libraries take
    else:
        return "" if literal.is_global and not literal.is_multicast else f"{host} is not a public address"
    try:
        inet_aton(host)
    except (OSError, UnicodeError):
        if "." not in host:
            return f"{host} is a name of this machine or its own network"
        return f"{host} is a name within a private network" if f".{host}".endswith(_LOCAL) else ""
    return f"{host} is a number in place of a name"


def entry_of(site: Site) -> str:
    """A site as it stands under `sites:`: what is said of it, and no more."""
    told = site.model_dump(mode="json", exclude_defaults=True)
    return str(yaml.safe_dump([told], sort_keys=False, allow_unicode=True, width=1000))


def add_site(file: Path, site: Site, vocabulary: Vocabulary) -> None:
    """Write its entry at the end of `sites:`. Raises EditError; the file is then as it was."""
    before = load(file, vocabulary)
    text = file.read_text(encoding="utf-8")
    wanted = [before.model_copy(update={"sites": (*before.sites, site)})]
    wanted += [before.model_copy(update={"sites": (site, *before.sites)})]
    if not replaced_by_one_that_reads(file, _with_entry(text, site), wanted, vocabulary):
        entry = "".join(f"\n  {line}" for line in entry_of(site).splitlines())
        raise EditError(f"{file}: is written in a way that is not changed by itself; put under sites:{entry}")


def remove_site(file: Path, source_id: str, vocabulary: Vocabulary) -> None:
    """Take a site's entry out. Raises EditError; the file is then as it was. What was read of the site stays."""
    before = load(file, vocabulary)
    number = next(at for at, site in enumerate(before.sites) if site.source_id == source_id)
    left = before.sites[:number] + before.sites[number + 1 :]
    text = file.read_text(encoding="utf-8")
    wanted = [before.model_copy(update={"sites": left})]
    if not replaced_by_one_that_reads(file, _without_entry(text, number), wanted, vocabulary):
        line = read_marked(text).line_of(("sites", number))
        raise EditError(f"{file}: is written in a way that is not changed by itself; take out the entry in line {line}")


def _with_entry(text: str, site: Site) -> Iterator[str]:
    """What the file may become; the first that reads as wanted is taken."""
    whole = text if not text or text.endswith("\n") else text + "\n"
    lines = whole.splitlines(keepends=True)
    known = read_marked(whole).lines
    section, items = known.get(("sites",)), _items(known, lines)
    if section is None:
        yield f"{whole}sites:\n{_indented(entry_of(site), '  ')}"
        return
    if items and (dash := _ITEM.match(lines[items[-1] - 1])):
        end = _end_of_item(lines, items[-1])
        yield "".join([*lines[:end], _indented(entry_of(site), dash[1]), *lines[end:]])
        return
    head = re.sub(r"(:)\s*\[\s*\]", r"\1", lines[section - 1])
    yield "".join([*lines[: section - 1], head, _indented(entry_of(site), "  "), *lines[section:]])
    flow = yaml.safe_dump(
        site.model_dump(mode="json", exclude_defaults=True),
        sort_keys=False, allow_unicode=True, width=1_000_000, default_flow_style=True,
    ).strip()  # fmt: skip
    yield "".join([*lines[: section - 1], lines[section - 1].replace("[", f"[{flow}, ", 1), *lines[section:]])


def _without_entry(text: str, number: int) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    known = read_marked(text).lines
    items, section = _items(known, lines), known[("sites",)]
    start = items[number] - 1
    if not _ITEM.match(lines[start]):
        return
    kept = [*lines[:start], *lines[_end_of_item(lines, items[number]) :]]
    if len(items) == 1:
        kept[section - 1] = re.sub(r"sites\s*:", "sites: []", kept[section - 1], count=1)
    yield "".join(kept)


def _items(known: dict[tuple[str | int, ...], int], lines: Sequence[str]) -> list[int]:
    """Lines in which the sites' entries begin, in their order; a dash may stand in a line of its own above."""
    found = [known[path] for path in known if len(path) == 2 and path[0] == "sites"]
    return [line - 1 if line > 1 and _LONE_DASH.fullmatch(lines[line - 2]) else line for line in found]


def _end_of_item(lines: Sequence[str], start: int) -> int:
    """Number of lines up to and with an entry's last one: comments and blank lines after it are not its own."""
    dash = _ITEM.match(lines[start - 1])
    indent = len(dash[1]) if dash else 0
    end = start
    for number in range(start, len(lines)):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(line) - len(line.lstrip()) <= indent:
            break
        end = number + 1
    return end


def _indented(entry: str, indent: str) -> str:
    return "".join(f"{indent}{line}\n" for line in entry.splitlines())
