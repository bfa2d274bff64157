"""What a site below asks for at once, of all that it lacks."""

from keyturn.distribution.handed_down import AT_ONCE, MOST_RANGES, PIECE, Missing, Range, next_ranges


def test_a_large_file_is_asked_for_in_pieces_from_where_it_has_come_to() -> None:
    size = 3 * PIECE + 5
    assert next_ranges([Missing("a", size, PIECE + 7)]) == (
        Range("a", PIECE + 7, PIECE),
        Range("a", 2 * PIECE + 7, PIECE - 2),
    )


def test_no_more_is_asked_for_than_a_queue_should_hold() -> None:
    ranges = next_ranges([Missing("small", 10, 0), Missing("large", 10 * AT_ONCE, 0), Missing("later", 10, 0)])
    assert sum(each.length for each in ranges) == AT_ONCE
    assert [each.sha256 for each in ranges] == ["small", *["large"] * (AT_ONCE // PIECE)]


def test_many_small_files_are_asked_for_in_portions() -> None:
    ranges = next_ranges(Missing(f"{number}", 1, 0) for number in range(MOST_RANGES + 1))
    assert len(ranges) == MOST_RANGES


def test_nothing_is_asked_for_where_nothing_is_missing() -> None:
    assert next_ranges([]) == next_ranges([Missing("whole", 10, 10)]) == ()
