import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from poreconv.config import require
from poreconv.errors import ConfigError
from poreconv.runtime.records import from_json, from_plain, to_json, to_plain


class Place(NamedTuple):
    """A named tuple, which is a list in JSON."""

    start: int
    name: str = ""


class Tally:
    """A class that is no dataclass."""

    RECORD: ClassVar[Any] = dict[str, int]

    def __init__(self, n: int) -> None:
        self.n = n

    def to_record(self) -> dict[str, int]:
        """Return what stands for it."""
        return {"n": self.n}

    @classmethod
    def from_record(cls, record: dict[str, int]) -> Self:
        """Return it from what stands for it."""
        return cls(record["n"])


@dataclass(frozen=True)
class Inner:
    """A nested dataclass that checks itself."""

    share: float = 0.5

    def __post_init__(self) -> None:
        """Check the share."""
        require(self.share <= 1, f"share: {self.share}; must be 1 or less")


@dataclass(frozen=True, eq=False)
class Outer:
    """One field of every kind that our dataclasses have."""

    schema_version: Literal[3] = field(default=3, kw_only=True)
    name: str
    inner: tuple[Inner, ...] = ()
    counts: dict[int, int] = field(default_factory=dict)
    path: Path | None = None
    adc: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    rows: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    places: list[Place] = field(default_factory=list)
    tally: Tally = field(default_factory=lambda: Tally(0))
    score: float | None = None


WHOLE = Outer(
    name="naïve",
    inner=(Inner(0.25), Inner(1)),
    counts={-3: 1, 10: 2},
    path=Path("reads") / "a.fast5",
    adc=np.array([-5, 300], np.int16),
    rows=np.array([[0.125, 1], [0, 0.001]], np.float32),
    places=[Place(3, "a"), Place(4)],
    tally=Tally(7),
)


def test_what_was_written_is_read_back() -> None:
    """Nested dataclasses, tuples, paths, arrays, integer keys and records."""
    again = from_json(to_json(WHOLE), Outer)

    assert to_plain(again) == to_plain(WHOLE)
    assert (again.inner, again.counts, again.path, again.places) == (
        WHOLE.inner, WHOLE.counts, WHOLE.path, WHOLE.places,
    )  # fmt: skip
    assert again.tally.n == 7
    np.testing.assert_array_equal(again.adc, WHOLE.adc, strict=True)
    np.testing.assert_array_equal(again.rows, WHOLE.rows, strict=True)


def test_other_programs_can_read_it() -> None:
    """The text is JSON as the standard library reads it; each row of an array is one line."""
    text = to_json(WHOLE, indent=1)

    assert json.loads(text) == to_plain(WHOLE)
    assert '\n  "0.125 1",\n' in text


def test_nan_is_null() -> None:
    """Also numpy's."""
    assert to_json([float("nan"), np.float64("nan"), np.float32(0.5)]) == "[null,null,0.5]"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "thing: unknown field 'colour'"),
        ({"inner": [{"share": 0.5, "colour": "red"}]}, "thing: inner: unknown field 'colour'"),
        ({"inner": [{}, {"share": "half"}]}, r"thing: inner\[1\]\.share: expected float, got str"),
        ({"inner": [{"share": True}]}, r"thing: inner\[0\]\.share: expected float, got bool"),
        ({"inner": [{"share": 2}]}, r"^share: 2.0; must be 1 or less"),
        ({"name": None}, "thing: name: expected str, got null"),
        ({"counts": {"a": 1}}, "thing: key in counts: expected int, got str"),
        ({"counts": {"1": 1.5}}, r"thing: counts\[...\]: expected int, got float"),
        ({"path": 3}, "thing: path: expected str, got int"),
        ({"adc": "1 2.5"}, "thing: adc: invalid literal"),
        ({"adc": "1 70000"}, "thing: adc: .*out of bounds"),
        ({"adc": {}}, "thing: adc: expected array, got object"),
        ({"rows": ["1 2", "3"]}, "thing: rows: all input arrays must have the same shape"),
        ({"places": [["a", 3]]}, r"thing: places\[0\]\[0\]: expected int, got str"),
        ({"places": [[1, "a", 2]]}, r"thing: places\[0\]: expected array of length 1 to 2, got 3"),
        ({"tally": {"n": "7"}}, r"thing: tally: \[...\]: expected int, got str"),
        ({"score": "0.5"}, "thing: score: expected float | null, got str"),
        ({"schema_version": 4}, "thing: schema version 4, this poreconv reads 3"),
        ({"schema_version": 3.0}, "thing: schema_version: "),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    """The message names the field and the problem, in one line."""
    with pytest.raises(ConfigError, match=message) as caught:
        from_json(json.dumps(to_plain(WHOLE) | change), Outer, "thing")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ('{"schema_version": 3, "name": NaN}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"schema_version": 3, "name": ' + "[" * 100_000, "not JSON"),
        ("[]", "not JSON with a schema_version"),
        ('{"name": "a"}', "not JSON with a schema_version"),
        ('{"schema_version": 3}', "missing required field name"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_such_json_is_refused(text: str | bytes, message: str) -> None:
    """Whatever a file contains, reading it ends in one error."""
    with pytest.raises(ConfigError, match=f"thing: .*{message}|thing: {message}"):
        from_json(text, Outer, "thing")


def test_a_container_of_dataclasses_is_read_too() -> None:
    """The kind may be a dict or a list; unknown fields within are refused."""
    assert from_plain({"a": {"share": 1}}, dict[str, Inner]) == {"a": Inner(1.0)}
    with pytest.raises(ConfigError, match=r"^a: unknown field 'b'"):
        from_plain({"a": {"b": 1}}, dict[str, Inner])


def test_what_has_no_form_in_json_is_an_error() -> None:
    """It is a mistake in the program, not in a file."""
    with pytest.raises(TypeError, match="object has no form in JSON"):
        to_json(object())
