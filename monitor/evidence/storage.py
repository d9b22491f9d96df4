"""Archives of runs in S3-compatible storage: copied there once a run was dealt with, and read back when not here.

`<storage>/<run>/<file>` has the bytes of `<data>/runs/<run>/<file>`. What was copied is read back and compared with
the digests of run.json before the copy counts; `STORED.json` beside run.json then says so. Nothing there is ever
written over. Access keys come from the environment alone (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, a profile, or the
machine's role), as botocore finds them.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config import Config
from monitor.evidence.runfolder import ARCHIVE, EvidenceError, UnreadableRunError, run_record_of
from monitor.records import Sha256, UtcDatetime, Wire

STORED_FILE = "STORED.json"
_NOT_COPIED = frozenset({"crawl.log"})
"""A log may be rotated or cut; nothing rests on it."""
_PIECE = 1 << 20
_OPTIONS: dict[str, Any] = {
    "connect_timeout": 10,
    "read_timeout": 60,
    "retries": {"max_attempts": 2},
}


class StorageError(EvidenceError):
    """The storage could not be reached, refused, or holds something else. What is here stays as it is."""


class Stored(Wire):
    """`STORED.json`: where a run's files were copied, when, and the digests that were read back there."""

    storage: str
    at: UtcDatetime
    files: dict[str, Sha256]


class Storage:
    """One place, such as `s3://bucket/prefix`. Every method raises StorageError."""

    def __init__(self, root: str, endpoint: str = "") -> None:
        self.root = root.rstrip("/")
        self._endpoint = endpoint

    def keep(self, folder: Path, at: datetime) -> Stored:
        """Copy a run's files, read them back, and note it beside run.json, which is copied last."""
        wanted = _files_of(folder)
        for name, digest in wanted.items():
            self._keep_one(folder, name, digest)
        stored = Stored(storage=self.root, at=at, files=wanted)
        part = folder / f"{STORED_FILE}.part"
        part.write_text(stored.model_dump_json(indent=1) + "\n", encoding="utf-8")
        part.replace(folder / STORED_FILE)
        return stored

    def _keep_one(self, folder: Path, name: str, digest: str) -> None:
        place = self._place(folder.name, name)
        with self._telling(place, "copied") as files:
            if not files.exists(place):
                files.put_file(str(folder / name), place)
        held = self.digest(folder.name, name)
        if held != digest:
            raise StorageError(
                f"{place}: its sha256 is {held}, run.json says {digest}: either {folder / name} was altered, or "
                "something else is there already. Nothing was written over; exowatch evidence verify says more"
            )

    def digest(self, run_id: str, name: str) -> str:
        """sha256 of a file as it lies there, read whole."""
        place, digest = self._place(run_id, name), hashlib.sha256()
        with self._telling(place, "read") as files, files.open(place, "rb", block_size=8 * _PIECE) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def read(self, run_id: str, name: str, start: int, end: int) -> bytes:
        """Some bytes of a file there, `end` not included."""
        place = self._place(run_id, name)
        with self._telling(place, "read") as files:
            return bytes(files.cat_file(place, start=start, end=end))

    def fetch(self, run_id: str, name: str, into: Path) -> None:
        """A file from there, whole."""
        place = self._place(run_id, name)
        with self._telling(place, "read") as files:
            files.get_file(place, str(into))

    def remove(self, run_id: str, names: list[str]) -> None:
        """Take some files of a run away there; those that are not there are none to take away."""
        for place in (self._place(run_id, name) for name in names):
            with self._telling(place, "removed") as files:
                if files.exists(place):
                    files.rm_file(place)

    def _place(self, run_id: str, name: str) -> str:
        return f"{self.root}/{run_id}/{name}"

    @contextmanager
    def _telling(self, place: str, done: str) -> Iterator[Any]:
        try:
            yield _open(self.root, self._endpoint)
        except StorageError:
            raise
        except Exception as error:  # of three libraries, each with errors of its own
            raise StorageError(f"{place} could not be {done}: {_reason(error)}; {_advice(error)}") from error


@lru_cache(maxsize=4)
def _open(root: str, endpoint: str) -> Any:
    import fsspec

    try:
        return fsspec.filesystem(
            root.partition("://")[0],
            endpoint_url=endpoint or None,
            config_kwargs=_OPTIONS,
            # what others write, or we ourselves a moment ago, must be seen
            use_listings_cache=False,
            skip_instance_cache=True,
            default_fill_cache=False,
        )
    except ImportError as error:
        raise StorageError(
            f"{root}: needs the extra `s3`; install it with: pip install 'exowatch[s3]' ({error})"
        ) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _advice(error: Exception) -> str:
    name = type(error).__name__
    if isinstance(error, FileNotFoundError) or "NoSuchBucket" in str(error):
        return "is there such a bucket (evidence: storage:)?"
    if isinstance(error, PermissionError) or "Credential" in name:
        return "give keys that may read and write there in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
    return "is the server up and its address right (evidence: endpoint:)?"


def storage_of(config: Config) -> Storage | None:
    """The configured storage, if there is one."""
    choice = config.evidence
    return Storage(choice.storage, choice.endpoint or "") if choice.storage else None


def stored_in(folder: Path) -> Stored | None:
    """What `STORED.json` says, if a run was copied. Raises StorageError."""
    path = folder / STORED_FILE
    try:
        return Stored.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise StorageError(f"{path}: cannot be read ({error}); exowatch evidence store writes it anew") from error


def _files_of(folder: Path) -> dict[str, str]:
    """Every file to copy with its digest, run.json last. Raises StorageError."""
    try:
        run = run_record_of(folder)
        manifest = hashlib.sha256((folder / "run.json").read_bytes()).hexdigest()
    except (UnreadableRunError, OSError) as error:
        raise StorageError(str(error)) from error
    return {name: digest for name, digest in run.files.items() if name not in _NOT_COPIED} | {"run.json": manifest}


def drop_local(config: Config, folder: Path) -> int:
    """Remove a run's archive here, if the copy is what run.json says. Gives the bytes freed. Raises StorageError."""
    storage, stored = storage_of(config), stored_in(folder)
    if storage is None or stored is None or stored.storage != storage.root:
        raise StorageError(f"{folder.name}: has no copy in the configured storage; exowatch evidence store makes one")
    expected = _files_of(folder)[ARCHIVE]
    held = storage.digest(folder.name, ARCHIVE)
    if held != expected:
        where = f"{storage.root}/{folder.name}/{ARCHIVE}"
        raise StorageError(f"{where}: its sha256 is {held}, run.json says {expected}; nothing was removed")
    size = (folder / ARCHIVE).stat().st_size
    (folder / ARCHIVE).unlink()
    return size


@contextmanager
def whole_folder(config: Config, folder: Path) -> Iterator[Path]:
    """A run's folder with its archive in it: the one here, or one made for a while from the copy.

    Raises StorageError.
    """
    storage = storage_of(config)
    if storage is None or (folder / ARCHIVE).exists() or not folder.is_dir():
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="exowatch-evidence-") as place:
        made = Path(place) / folder.name
        shutil.copytree(folder, made)
        storage.fetch(folder.name, ARCHIVE, made / ARCHIVE)
        yield made
