"""Arrays that were laid out in bytes are read again as they were."""

import numpy as np
import pytest

from monitor.classify.laid import arrays_of, laid_out

ARRAYS = {
    "bytes": np.arange(7, dtype=np.uint8),
    "one": np.array(2.5, np.float32),
    "none": np.zeros((0, 3), np.int8),
    "table": np.arange(12, dtype=np.float16).reshape(3, 4),
    "turned": np.arange(6, dtype=np.int32).reshape(2, 3).T,
    "words": np.array(["en", "pt"]),
    "long": np.arange(1000, dtype=np.uint32),
}


def test_they_are_what_they_were() -> None:
    read = arrays_of(memoryview(b"".join(laid_out(ARRAYS.items()))))
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(read[name], array)


def test_nobody_can_change_them() -> None:
    read = arrays_of(memoryview(b"".join(laid_out(ARRAYS.items()))))
    with pytest.raises(ValueError, match="read-only"):
        read["table"][0, 0] = 1


def test_each_begins_at_an_edge() -> None:
    held = b"".join(laid_out(ARRAYS.items()))
    begins = [held.index(ARRAYS[name].tobytes()) for name in ("bytes", "turned", "long")]
    assert [begin % 64 for begin in begins] == [0, 0, 0]


def test_no_array_is_an_empty_table() -> None:
    assert arrays_of(memoryview(b"".join(laid_out([])))) == {}
