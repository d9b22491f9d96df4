"""A run's recording read again, without the web."""

from __future__ import annotations

from tests.crawler.conftest import Crawls, Ended, notice_page, three_notices
from tests.loopback import Loopback, Reply


def same_but_for_captures(ended: Ended) -> list[dict[str, object]]:
    """In the order of their addresses: a redirect may be followed earlier where nothing has to be waited for."""
    ordered = sorted(ended.records, key=lambda record: record.model_dump_json(exclude={"captures", "capture"}))
    return [record.model_dump(exclude={"captures", "capture"}) for record in ordered]


def test_a_replay_gives_the_same_records_without_the_web(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    web.routes["alerts.example/2"] = Reply("", status=301, headers={"Location": "/elsewhere"})
    web.routes["alerts.example/elsewhere"] = notice_page("Moved")
    known = crawls.home / "known.jsonl"
    known.write_text('{"key": "https://alerts.example/1", "digest": "1"}\n')
    first = crawls.run("--known", known)
    web.close()

    again = crawls.replay(first.folder)

    assert again.code == 0, again.err
    assert same_but_for_captures(again) == same_but_for_captures(first)
    assert (again.run.mode, again.run.replay_of) == ("replay", first.run.run_id)
    assert again.run.problems == ()
    assert again.run.known == 1
    old = {capture.id: capture for capture in first.captures}
    assert len(again.captures) == len(first.captures) - 1, "robots.txt is not read again"
    for capture in again.captures:
        was = old[capture.replay_of]
        assert (capture.url, capture.fetched_at, capture.payload_sha256, capture.status) == (
            was.url,
            was.fetched_at,
            was.payload_sha256,
            was.status,
        )
    assert all(record.captures[0].startswith(again.run.run_id) for record in again.records if record.kind == "notice")


def test_a_replay_tells_posts_apart_by_their_bodies(web: Loopback, crawls: Crawls) -> None:
    crawls.card["spider"] = "sources.for_tests_by_post"
    web.routes["alerts.example/list"] = lambda asked: notice_page(f"Answer to {asked.body.decode()}")
    first = crawls.run()

    again = crawls.replay(first.folder)

    assert [record.title for record in first.records] == ["Answer to page=1", "Answer to page=2"]
    assert same_but_for_captures(again) == same_but_for_captures(first)


def test_a_replay_says_what_was_never_recorded(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    known = crawls.home / "known.jsonl"
    known.write_text('{"key": "https://alerts.example/1", "digest": "1"}\n')
    first = crawls.run("--known", known)
    # as if the reader had learnt to ask for one page more
    (first.folder / "known.jsonl").unlink()

    again = crawls.replay(first.folder)

    assert len(again.records) == 2
    (problem,) = again.run.problems
    assert problem.kind == "download_error"
    assert "not in the recording" in problem.message
    assert problem.url == "https://alerts.example/1"


def test_a_recording_that_was_altered_is_not_replayed_as_if_it_were_whole(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    first = crawls.run()
    captures = first.folder / "captures.jsonl"
    captures.write_text(captures.read_text().replace(first.captures[-1].payload_sha256, "0" * 64))

    again = crawls.replay(first.folder)

    assert len(again.records) == 2
    assert "are not those that were recorded" in again.problems["download_error"]


def test_a_part_folder_is_not_replayed(crawls: Crawls) -> None:
    part = crawls.home / "xx_test_alerts-20261116T050000Z-0000.part"
    part.mkdir()

    again = crawls.replay(part)

    assert again.code == 3
    assert "is not a finished run" in again.err
