import wsbench
from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.columns import columns
from wsbench_leaderboard.site import cells
from wsbench_leaderboard.site.boards import boards


def by_name(records):
    board = next(b for b in boards(collect(records)) if b.zoo == "made-up-v1")
    return board, {row.label.split()[0]: row for row in cells.rows(board, columns())}


def test_boards__are_one_for_each_zoo_stale_records_last_and_without_a_rank(records):
    found = boards(collect(records))
    assert [board.zoo for board in found] == ["made-up-v1", "other-v1"]
    last = found[0].results[-1]
    assert last.record.method == "random"
    assert last.is_stale
    assert found[0].rank(last) is None
    assert found[0].rank(found[0].results[0])[0] == 1
    assert [rescored.is_stale for rescored in found[0].results] == [False] * 4 + [True]


def test_boards__put_transductive_methods_after_the_ranked_and_mark_supervised_ones(
    records, rewrite
):
    best = next(records.glob("made-up-v1/euclidean-*.json"))
    rewrite(best, lambda content: content.update(is_transductive=True))
    board, rows = by_name(records)
    names = [rescored.record.method for rescored in board.results]
    assert names[-2:] == ["euclidean", "random"]
    assert rows["euclidean"].rank == "–"
    assert rows["euclidean"].starts_group
    assert rows["euclidean"].kinds == ("transductive",)
    assert rows["twin"].kinds == ("supervised",)
    assert rows["random"].kinds == ("stale",)
    assert rows["svd"].kinds == ()


def test_boards__begin_with_those_that_seconds_do_not_build(records, publisher, made_up_zoo):
    publisher.publish(made_up_zoo.content_digest, embedded=True)
    assert [board.zoo for board in boards(collect(records))] == ["other-v1", "made-up-v1"]
    publisher.publish(made_up_zoo.content_digest, embedded=False)
    assert [board.zoo for board in boards(collect(records))] == ["made-up-v1", "other-v1"]


def test_boards__keep_zoos_of_the_same_id_and_other_content_apart(records, rewrite):
    path = next(records.glob("made-up-v1/twin-*.json"))
    rewrite(path, lambda c: c["zoo"].update(content_digest=f"sha256:{1:064}"))
    found = boards(collect(records))
    titles = [board.title for board in found]
    assert titles[0].startswith("made-up-v1 (sha256:000000000000…)")
    assert len({board.slug for board in found}) == 3
    assert sorted(len(board.results) for board in found) == [1, 1, 4]


def test_rows__that_tie_are_in_one_group(records):
    _, rows = by_name(records)
    assert rows["euclidean"].rank == rows["twin"].rank
    assert rows["euclidean"].is_first == rows["twin"].is_first
    both = sorted((rows["euclidean"], rows["twin"]), key=lambda row: int(row.rank_sort))
    assert not both[1].starts_group
    assert rows["random"].starts_group
    assert rows["random"].is_stale
    assert rows["random"].rank_sort == ""


def test_rows__compare_times_within_one_machine_only(records):
    board, rows = by_name(records)
    assert board.machine == "a CPU, 2 CPUs"
    assert board.has_other_machines
    time = {name: row.cells[-2] for name, row in rows.items()}
    assert time["euclidean"] == cells.Cell("0.50", "0.5")
    assert time["svd"].sort == time["random"].sort == ""
    assert time["svd"].note.startswith("measured on another machine: <script>")
    assert rows["euclidean"].cells[-1].text == "9"


def test_rows__tell_records_of_one_method_apart(records, make_zoo):
    zoo = wsbench.load_zoo(make_zoo("again", models=30))
    wsbench.save_record(wsbench.evaluate("euclidean", zoo, seed=3), records)
    board = boards(collect(records))[0]
    versions = [row.version for row in cells.rows(board, columns()) if row.label == "euclidean"]
    assert sorted(versions) == ["1, custom 2, seed 0", "1, smoke 2, seed 3"]


def test_rows__draw_each_interval_within_the_bar(records):
    _, rows = by_name(records)
    for row in rows.values():
        assert len(row.cells) == len(columns()) + 2
        for cell in row.cells[:-2]:
            assert (cell.bar is None) == (cell.text == "–")
            if cell.bar:
                assert 0 <= cell.bar.start <= cell.bar.point <= cells.BAR_WIDTH
                assert cell.bar.start + cell.bar.length <= cells.BAR_WIDTH
                assert float(cell.sort) == float(cell.sort)


def test_bars__have_zero_in_view_where_scores_are_negative():
    scores = [wsbench.Score(-1.0, (-1.0, 0.0)), wsbench.Score(1.0), None, wsbench.Score(None)]
    low, high, *none = cells._bars(scores)
    assert (low.start, low.zero, low.start + low.length) == (1, 24, 24)
    assert (high.point, high.length) == (47, 0)
    assert none == [None, None]
