"""Evidence in S3-compatible storage: a real server of its protocol on loopback, real runs, and what goes wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import Engine
from sqlmodel import Session, select
from typer.testing import CliRunner

from monitor.cli import app
from monitor.config import Config, ConfigError, EvidenceChoice, Site, load
from monitor.evidence.chain import pruned_runs
from monitor.evidence.packages.check import check
from monitor.evidence.packages.export import export
from monitor.evidence.recomputed import verify
from monitor.evidence.retention import droppable, plan, prune, unstored
from monitor.evidence.storage import STORED_FILE, StorageError, drop_local, storage_of, stored_in
from monitor.intake.runs import take_in
from monitor.knowledge import load as load_knowledge
from monitor.running.cycle import Cycle, Order
from monitor.tables.models import Claim
from tests.monitor.running.test_cycle import Told
from tests.runs import RunMaker, page_card

HOME = "http://kelda.example/"
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
LATER = datetime(2026, 11, 18, 6, tzinfo=UTC)
PAGE = (
    '<html lang="en"><head><title>Kelda exosome therapy</title></head><body><h1>Exosome therapy</h1>'
    "<p>Our exosome therapy treats arthritis.</p><p>Book your appointment now: $450 a session.</p></body></html>"
)

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-for-tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def bucket(server: str, keys: None, request: pytest.FixtureRequest) -> Bucket:
    client = boto3.client("s3", endpoint_url=server)
    name = f"evidence-{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"
    client.create_bucket(Bucket=name)
    return Bucket(client, name, server)


class Bucket:
    """A bucket as somebody else sees it: not through the code that is tested."""

    def __init__(self, client: object, name: str, endpoint: str) -> None:
        self.client: object = client
        self.name = name
        self.endpoint = endpoint

    def held(self) -> dict[str, bytes]:
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])  # type: ignore[attr-defined]
        return {one["Key"]: self.get(one["Key"]) for one in listed}

    def get(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()  # type: ignore[attr-defined]
        return body

    def put(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body)  # type: ignore[attr-defined]


class Desk:
    """Runs of one site, taken in, under a configuration with a storage."""

    def __init__(self, engine: Engine, data: Path, bucket: str, endpoint: str) -> None:
        self.engine = engine
        choice = EvidenceChoice(storage=f"s3://{bucket}/kept", endpoint=endpoint)
        self.config = Config(data=data, sites=(Site(url=HOME, country="us"),), evidence=choice)
        self.week = 0

    def read(self, html: str = PAGE) -> Path:
        at = START + timedelta(weeks=self.week)
        self.week += 1
        maker = RunMaker(page_card(), at, self.config.runs_folder)
        maker.page(HOME, html)
        folder = maker.write()
        assert take_in(self.engine, folder, self.config, load_knowledge()).state == "taken_in"
        return folder

    def store(self) -> list[Path]:
        storage = storage_of(self.config)
        assert storage is not None
        folders = unstored(self.engine, self.config)
        for folder in folders:
            storage.keep(folder, LATER)
        return folders

    def package(self) -> bytes:
        with Session(self.engine) as session:
            claim = session.exec(select(Claim)).first()
            assert claim is not None
            return export(session, self.config, claim.id or 0, "", LATER)


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path, bucket: Bucket) -> Desk:
    return Desk(sqlite_engine, tmp_path / "var", bucket.name, bucket.endpoint)


def test_a_run_is_copied_compared_and_noted_once(desk: Desk, bucket: Bucket) -> None:
    folder = desk.read()

    assert desk.store() == [folder]
    assert desk.store() == []

    held = bucket.held()
    names = {"run.json", "run.warc.gz", "captures.jsonl", "items.jsonl"}
    assert held == {f"kept/{folder.name}/{name}": (folder / name).read_bytes() for name in names}
    stored = stored_in(folder)
    assert stored is not None
    assert (stored.storage, stored.at, set(stored.files)) == (f"s3://{bucket.name}/kept", LATER, names)


def test_what_was_dropped_here_is_read_from_there(desk: Desk) -> None:
    folder = desk.read()
    before = desk.package()
    desk.store()

    freed = drop_local(desk.config, folder)

    assert freed > 0
    assert not (folder / "run.warc.gz").exists()
    checked = verify(desk.engine, desk.config)
    assert (checked.broken, checked.runs, checked.captures, checked.quotes > 0) == ((), 1, 1, True)
    assert desk.package() == before
    assert check(desk.package()).broken == ()


def test_a_copy_that_was_altered_is_found(desk: Desk, bucket: Bucket) -> None:
    folder = desk.read()
    desk.store()
    drop_local(desk.config, folder)
    key = f"kept/{folder.name}/run.warc.gz"
    altered = bytearray(bucket.get(key))
    altered[len(altered) // 2] ^= 1
    bucket.put(key, bytes(altered))

    broken = verify(desk.engine, desk.config).broken

    assert {one.kind for one in broken} >= {"run", "capture"}
    assert all(f"s3://{bucket.name}" in one.message for one in broken)


def test_a_copy_that_is_not_the_run_keeps_what_is_here(desk: Desk, bucket: Bucket) -> None:
    folder = desk.read()
    key = f"kept/{folder.name}/run.warc.gz"
    bucket.put(key, b"something else")

    with pytest.raises(StorageError, match="Nothing was written over"):
        desk.store()
    assert bucket.get(key) == b"something else"
    assert not (folder / STORED_FILE).exists()

    bucket.put(key, (folder / "run.warc.gz").read_bytes())
    desk.store()
    bucket.put(key, b"altered later")
    with pytest.raises(StorageError, match="nothing was removed"):
        drop_local(desk.config, folder)
    assert (folder / "run.warc.gz").exists()


def test_nothing_is_dropped_here_that_has_no_copy(desk: Desk) -> None:
    folder = desk.read()

    assert droppable(desk.engine, desk.config, LATER) == []
    with pytest.raises(StorageError, match="evidence store makes one"):
        drop_local(desk.config, folder)
    assert (folder / "run.warc.gz").exists()


def test_a_missing_bucket_is_told_and_costs_nothing(desk: Desk, bucket: Bucket) -> None:
    folder = desk.read()
    desk.config = desk.config.model_copy(
        update={"evidence": EvidenceChoice(storage="s3://no-such-bucket/kept", endpoint=bucket.endpoint)}
    )

    with pytest.raises(StorageError, match="is there such a bucket"):
        desk.store()
    assert not (folder / STORED_FILE).exists()
    assert verify(desk.engine, desk.config).broken == ()


@pytest.mark.usefixtures("keys")
def test_a_server_that_goes_down_midway_leaves_the_rest_here(sqlite_engine: Engine, tmp_path: Path) -> None:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="midway")
    desk = Desk(sqlite_engine, tmp_path / "var", "midway", f"http://{host}:{port}")
    first = desk.read()
    assert desk.store() == [first]
    second = desk.read(PAGE.replace("arthritis", "arthrosis"))
    running.stop()

    with pytest.raises(StorageError, match="is the server up"):
        desk.store()

    assert (second / "run.warc.gz").exists()
    assert not (second / STORED_FILE).exists()
    assert unstored(desk.engine, desk.config) == [second]
    assert verify(desk.engine, desk.config).broken == ()


def test_retention_takes_the_copy_away_with_the_run_and_no_other(desk: Desk, bucket: Bucket) -> None:
    needed = desk.read()
    idle = [desk.read(), desk.read()]
    desk.store()
    drop_local(desk.config, idle[0])

    planned = plan(desk.engine, desk.config, LATER)
    prune(desk.config, planned, LATER, "older than 30 days")

    assert pruned_runs(desk.config) == {idle[0].name}
    held = bucket.held()
    assert {key for key in held if idle[0].name in key} == {f"kept/{idle[0].name}/run.json"}
    for kept in (needed, idle[1]):
        assert held[f"kept/{kept.name}/run.warc.gz"] == (kept / "run.warc.gz").read_bytes()
    assert verify(desk.engine, desk.config).broken == ()


def test_the_commands(desk: Desk, bucket: Bucket, tmp_path: Path) -> None:
    folder = desk.read()
    file = tmp_path / "config.yaml"
    file.write_text(
        f"contact: desk@watch.example\ndata: {desk.config.data}\ndatabase: {desk.engine.url}\n"
        f"evidence: {{storage: 's3://{bucket.name}/kept', endpoint: '{bucket.endpoint}'}}\n"
    )

    def told(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["--config", str(file), "evidence", *arguments])
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    assert "1 run copied" in told("store")
    assert "would be removed here" in told("prune", "--local", "--older-than", "30d", "--dry-run")
    assert (folder / "run.warc.gz").exists()
    assert "1 archive of runs older than 30 days removed here" in told("prune", "--local", "--older-than", "30d")
    assert not (folder / "run.warc.gz").exists()
    assert "all hold" in told("verify")


def test_a_pass_copies_what_is_here_alone_and_says_what_it_could_not(desk: Desk, tmp_path: Path) -> None:
    folder = desk.read()
    desk.config = desk.config.model_copy(update={"database": str(desk.engine.url)})

    def passing(config: Config) -> list[str]:
        told = Told()
        Cycle(config, tmp_path / "config.yaml", load_knowledge(), told).run(Order((), digest=False))
        return told.notes

    nowhere = EvidenceChoice(storage="s3://no-such-bucket/kept", endpoint=desk.config.evidence.endpoint)
    (note,) = passing(desk.config.model_copy(update={"evidence": nowhere}))
    assert note.startswith("evidence not copied: s3://no-such-bucket/kept/")
    assert not (folder / STORED_FILE).exists()

    assert passing(desk.config) == []
    assert stored_in(folder) is not None


@pytest.mark.parametrize(
    ("evidence", "says"),
    [
        ("{storage: 's3://key:word@bucket/x'}", "in the environment"),
        ("{storage: 's3://bucket/x', secret_access_key: abc}", "secret_access_key does not belong into this file"),
        ("{storage: 'https://bucket.example/x'}", "write s3://bucket"),
        ("{endpoint: 'http://127.0.0.1:9000'}", "needs storage"),
        ("{storage: 's3://bucket', endpoint: 'http://user:word@127.0.0.1:9000'}", "user name or password"),
    ],
)
def test_keys_in_the_file_and_impossible_places_are_refused(tmp_path: Path, evidence: str, says: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"evidence: {evidence}\n")

    with pytest.raises(ConfigError, match=says):
        load(file)
