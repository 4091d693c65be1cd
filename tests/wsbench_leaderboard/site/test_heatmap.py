import dataclasses

import pytest
from msgspec import structs

from wsbench import Score
from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.columns import columns
from wsbench_leaderboard.site.boards import boards
from wsbench_leaderboard.site.heatmap import GAP, N_LEVELS, ROW, WIDTH, heat_map


@pytest.fixture
def board(records):
    """The board of made-up-v1: four records, and a stale one."""
    return boards(collect(records))[0]


def with_first(board, **changes):
    """Return the board with changes of its first record's results."""
    first, *others = board.results
    return dataclasses.replace(board, results=(dataclasses.replace(first, **changes), *others))


def test_heat_map__has_a_line_for_each_record_that_is_not_stale_in_their_order(board):
    found = heat_map(board, columns())
    assert [line.name.split("-")[0].split(" ")[0] for line in found.lines] == [
        rescored.record.method.split("-")[0] for rescored in board.results[:-1]
    ]
    assert [heading for _, _, heading in found.headings] == [
        "Overall", "As written", "Symmetry", "Compression", "Both"
    ]  # fmt: skip
    for line in found.lines:
        assert len(line.name) <= 18
        assert line.squares[-1].x + found.square <= WIDTH
        assert line.y + ROW <= found.height


@pytest.mark.parametrize(
    ("value", "level", "text"),
    [
        (0.0, 0, "0.00"), (-0.001, 0, "0.00"), (0.17, 1, "0.17"), (0.5, 3, "0.50"),
        (1.0, N_LEVELS - 1, "1.00"), (None, 0, "–"),
    ],
)  # fmt: skip
def test_heat_map__has_levels_and_texts_of_the_scores(board, value, level, text):
    changed = with_first(board, tracks={"overall": {"symmetry": Score(value)}})
    found = heat_map(changed, columns())
    square = found.lines[0].squares[2]
    assert (square.level, square.text) == (level, text)
    assert f"symmetry {text}, compression –" in found.description


def test_heat_map__says_every_number_in_words(board):
    found = heat_map(board, columns())
    for line in found.lines:
        (sentence,) = (s for s in found.description.split(". ") if s.startswith(f"{line.name}:"))
        assert all(square.text in sentence for square in line.squares)


def test_heat_map__sets_transductive_methods_apart(board):
    last = board.results[3]
    content = structs.replace(last.record.content, is_transductive=True)
    record = dataclasses.replace(last.record, content=content)
    results = (*board.results[:3], dataclasses.replace(last, record=record))
    found = heat_map(dataclasses.replace(board, results=results), columns())
    steps = [b.y - a.y for a, b in zip(found.lines, found.lines[1:], strict=False)]
    assert steps == [ROW, ROW, ROW + GAP]


def test_heat_map__is_none_without_tracks(board):
    results = tuple(dataclasses.replace(rescored, tracks={}) for rescored in board.results)
    assert heat_map(dataclasses.replace(board, results=results), columns()) is None
