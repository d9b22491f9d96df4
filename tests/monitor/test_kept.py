"""What takes long to make is made once, and again whenever what is kept of it will not do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import kept as keeping
from monitor.kept import code_of, kept

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "exowatch"


class Maker:
    """Gives its parts, and counts how often it was asked."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.times = 0

    def __call__(self) -> Iterator[bytes]:
        self.times += 1
        yield from self.parts


def _held(make: Maker, *rests_on: str, kind: str = "thing") -> bytes:
    found = kept(kind, rests_on, make)
    assert found is not None
    return bytes(found)


def test_it_is_made_once(cache: Path) -> None:
    make = Maker(b"one ", b"two")
    assert [_held(make, "a"), _held(make, "a")] == [b"one two", b"one two"]
    assert make.times == 1
    assert len(list(cache.iterdir())) == 1


def test_what_rests_on_something_else_is_made_for_it(cache: Path) -> None:
    assert _held(Maker(b"old"), "a", "b") == b"old"
    assert _held(Maker(b"new"), "a", "c") == b"new"
    assert _held(Maker(b"never"), "a", "b") == b"old"
    assert _held(Maker(b"joined"), "ab") == b"joined"
    assert cache.is_dir()


@pytest.mark.parametrize("spoilt", [b"", b"short", None])
def test_a_spoilt_file_is_made_anew(cache: Path, spoilt: bytes | None) -> None:
    make = Maker(b"what was made")
    _held(make, "a")
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:] if spoilt is None else spoilt)
    assert _held(make, "a") == b"what was made"
    assert make.times == 2
    assert path.read_bytes() == whole


def test_only_the_newest_of_a_kind_stay(cache: Path) -> None:
    (cache.parent / "exowatch").mkdir()
    left = cache / "thing-left-by-a-program-that-was-stopped"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    _held(Maker(b"x"), "another", kind="other")
    held = [kept("thing", [str(number)], Maker(b"%d" % number)) for number in range(4)]
    assert [bytes(one) for one in held if one] == [b"0", b"1", b"2", b"3"]  # who has one open goes on reading it
    assert sorted(path.name.partition("-")[0] for path in cache.iterdir()) == ["other", "thing", "thing"]
    make = Maker(b"3")
    assert _held(make, "3") == b"3"
    assert make.times == 0


def test_where_it_cannot_be_kept_nothing_is_raised(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write_text("a file where the folder should be")
    assert kept("thing", ["a"], Maker(b"x")) is None
    monkeypatch.delenv("XDG_CACHE_HOME")

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(keeping.Path, "home", homeless)
    assert kept("thing", ["a"], Maker(b"x")) is None


def test_what_is_not_to_be_kept_is_not(cache: Path) -> None:
    assert kept("thing", ["a"], lambda: None) is None
    assert not cache.exists()


def test_a_full_disk_leaves_nothing_behind(cache: Path) -> None:
    def full() -> Iterator[bytes]:
        yield b"begun"
        raise OSError(28, "No space left on device")

    assert kept("thing", ["a"], full) is None
    assert list(cache.iterdir()) == []


def test_an_error_in_the_making_is_told_and_leaves_nothing_behind(cache: Path) -> None:
    def wrong() -> Iterator[bytes]:
        yield b"begun"
        raise ValueError("does not fit")

    with pytest.raises(ValueError, match="does not fit"):
        kept("thing", ["a"], wrong)
    assert list(cache.iterdir()) == []


def test_programs_that_make_it_at_once_all_get_it_whole(cache: Path) -> None:
    code = (
        "import sys; from monitor.kept import kept; sys.stdin.readline();"
        "made = kept('thing', ['a'], lambda: (bytes([number % 251]) * 10_007 for number in range(400)));"
        "print(len(made), sum(made[::10_007]))"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(cache.parent), "PYTHONPATH": str(ROOT)}
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for program in programs:
        assert program.stdin
        program.stdin.write("go\n")
        program.stdin.flush()
    told = {program.communicate()[0] for program in programs}
    assert told == {f"{400 * 10_007} {sum(number % 251 for number in range(400))}\n"}
    assert len(list(cache.iterdir())) == 1


def test_other_code_is_another_digest(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("a = 1\n")
    other.write_text("b = 2\n")
    before = code_of(one, other)
    assert code_of(str(one), other) == before
    other.write_text("b = 3\n")
    assert code_of(one, other) != before
