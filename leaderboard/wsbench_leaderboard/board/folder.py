"""Check of a folder of records: its records, its other files, and the tables beside it."""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import wsbench
from wsbench_leaderboard.board.check import check_record
from wsbench_leaderboard.board.collect import RescoredRecord, expect_folder, sorted_results
from wsbench_leaderboard.season.reproduction import (
    SUFFIX,
    is_same,
    load_reproduction,
    renewed,
)
from wsbench_leaderboard.season.season import Seasons, load_seasons
from wsbench_leaderboard.season.standing import standing
from wsbench_leaderboard.tables import markdown, with_tables

MAX_BYTES = 50_000_000
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{12}\.(json|npz|reproduced)")
_IN_CLONE = Path("leaderboard/records")
_LONGEST_LINE = 500

# The smallest step of an accuracy over 10 models and 360 images is 0.0003. svd-k promises no bits:
# between machines it may change the class of an image or two.
_ACCURACY_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Problem:
    """A file and its fault, with the rule and the remedy, in one line."""

    file: str
    message: str


@dataclass(frozen=True, eq=False)
class Report:
    """The result of a check: the accepted records, and the problems."""

    folder: Path
    results: list[RescoredRecord]
    problems: list[Problem]

    @property
    def stale(self) -> list[str]:
        """The names of stale records."""
        return [
            _relative(self.folder, rescored.record.path)
            for rescored in self.results
            if rescored.is_stale
        ]


def find_folder(folder: Path | None) -> Path:
    """Return a folder of records; None stands for that of the clone in the current directory.

    Raises
    ------
    UnknownIdError
        If the current directory is not a clone.
    """
    if folder is not None:
        return folder
    if not Path("leaderboard/wsbench_leaderboard").is_dir():
        raise wsbench.UnknownIdError(
            f"{Path.cwd()} is not a clone of wsbench, which has leaderboard/records; change to one,"
            " or name the folder"
        )
    return _IN_CLONE


def identity(record: wsbench.Record) -> tuple[object, ...]:
    """Return the key that is unique on the leaderboard.

    Parameters at their defaults do not count: records of format 1 leave them out.
    """
    method, suite = record.content.method, record.content.suite
    settings = {name: method.parameters[name] for name in method.settings}
    return (
        record.zoo, record.method, method.version, json.dumps(settings, sort_keys=True),
        suite.name, suite.version, record.content.seed,
    )  # fmt: skip


def answers_of(record: wsbench.Record) -> Path | None:
    """Return the path of a record's answers; None for a method that failed."""
    pointer = record.content.answers
    return None if pointer is None else record.path.with_name(pointer.file)


def check_folder(folder: Path) -> Report:
    """Check a folder of records, and the tables in the README beside it.

    Parameters
    ----------
    folder
        Holds a folder for each zoo, with records and their answers side by side.

    Raises
    ------
    UnknownIdError
        If there is no such folder.
    """
    expect_folder(folder)
    seasons = load_seasons(folder)
    files: list[Path] = []
    problems = [*_misplaced(folder, files, seasons)]
    results, refused = [], []
    for path in (path for path in files if path.suffix == ".json"):
        try:
            results.append(_checked(path, seasons))
        except wsbench.WsbenchError as error:
            refused.append(path)
            problems.append(_problem(folder, path, str(error)))
    problems += _without_record(folder, files, results, refused)
    problems += _wrong_reproductions(folder, files, results, seasons)
    problems += _contradictions(folder, results)
    if not problems:
        problems += _outdated(folder.parent / "README.md", standing(results, seasons))
    return Report(folder, sorted_results(results), problems)


def _checked(path: Path, seasons: Seasons) -> RescoredRecord:
    rescored = check_record(path, seasons)
    if path.parent.name != rescored.record.zoo:
        raise wsbench.FormatError(f"{path}: is of {rescored.record.zoo}; move it there")
    return rescored


def _places(folder: Path) -> list[os.DirEntry[str]]:
    return sorted(os.scandir(folder), key=lambda place: place.name) if folder.is_dir() else []


def _misplaced(folder: Path, files: list[Path], seasons: Seasons) -> Iterator[Problem]:
    """Yield misplaced files, and append all others to `files`."""
    zoos = {*wsbench.published_zoos(), *seasons.fresh_zoos}
    total = 0
    for place in _places(folder):
        if not place.is_dir(follow_symlinks=False):
            yield _problem(folder, Path(place), "only folders of zoos belong here; remove it")
        elif place.name not in zoos:
            allowed = ", ".join(sorted(zoos))
            yield _problem(
                folder, Path(place), f"no published zoo and no season's: {allowed}; remove it"
            )
        else:
            for file in _places(Path(place)):
                total += file.stat(follow_symlinks=False).st_size
                if not _NAME.fullmatch(file.name):
                    yield _problem(
                        folder, Path(file), "not the name of a record or of answers; remove it"
                    )
                elif not file.is_file(follow_symlinks=False):
                    kind = "a symbolic link" if file.is_symlink() else "not a regular file"
                    yield _problem(folder, Path(file), f"{kind}; replace it with the file itself")
                else:
                    files.append(Path(file))
    if total > MAX_BYTES:
        message = f"{total:,} bytes in all, at most {MAX_BYTES:,} are allowed; remove some"
        yield Problem(str(folder), message)


def _without_record(
    folder: Path, files: list[Path], results: list[RescoredRecord], refused: list[Path]
) -> Iterator[Problem]:
    """Yield answers without a record, except those of refused records."""
    used = {answers_of(result.record) for result in results}
    methods = {(path.parent, path.stem.rpartition("-")[0]) for path in refused}
    for path in files:
        method = path.stem.rpartition("-")[0]
        if path.suffix == ".npz" and path not in used and (path.parent, method) not in methods:
            yield _problem(folder, path, "answers without a record; remove them")


def _wrong_reproductions(
    folder: Path, files: list[Path], results: list[RescoredRecord], seasons: Seasons
) -> Iterator[Problem]:
    """Yield files of reproductions that are damaged, or do not follow from the two records."""
    by_path = {result.record.path: result.record for result in results}
    by_answers = {
        result.record.content.answers.sha256: result.record
        for result in results
        if result.record.content.answers and result.is_fresh
    }
    names = {season.name for season in seasons.seasons}
    for path in (path for path in files if path.suffix == SUFFIX):
        record = by_path.get(path.with_suffix(".json"))
        try:
            found = load_reproduction(path.with_suffix(".json"))
        except wsbench.FormatError as error:
            yield _problem(folder, path, str(error))
            continue
        fresh = by_answers.get(found.answers) if found else None
        if record is None or found is None or fresh is None or found.season not in names:
            fault = "there is no such record, run or season"
        elif not is_same(found, renewed(found, record, fresh)):
            fault = "its difference does not follow from the two records"
        else:
            continue
        yield _problem(folder, path, f"{fault}; run wsbench leaderboard reproduce again")


def _contradictions(folder: Path, results: list[RescoredRecord]) -> Iterator[Problem]:
    """Yield records that contradict each other."""
    yield from _duplicates(folder, results)
    yield from _shared_answers(folder, results)
    by_suite: dict[object, list[RescoredRecord]] = defaultdict(list)
    for rescored in results:
        by_suite[rescored.record.zoo, rescored.record.content.suite.name].append(rescored)
    for group in by_suite.values():
        yield from _different_entries(folder, group)
        yield from _wrong_accuracy(folder, group)


def _duplicates(folder: Path, results: list[RescoredRecord]) -> Iterator[Problem]:
    first: dict[object, RescoredRecord] = {}
    for rescored in results:
        other = first.setdefault(identity(rescored.record), rescored)
        if other is not rescored:
            advice = "keep one"
            if other.is_stale != rescored.is_stale:
                advice = "wsbench leaderboard restamp removes the stale one"
            yield _problem(
                folder, rescored.record.path,
                f"same method, version, parameters, suite and seed as {other.record.path.name};"
                f" {advice}",
            )  # fmt: skip


def _shared_answers(folder: Path, results: list[RescoredRecord]) -> Iterator[Problem]:
    """Yield records with the answers of another method."""
    first: dict[object, RescoredRecord] = {}
    for rescored in results:
        answers = rescored.record.content.answers
        owner = first.setdefault(answers and answers.sha256, rescored)
        if owner.record.method != rescored.record.method:
            yield _problem(
                folder, rescored.record.path,
                f"has the answers of {owner.record.path.name}; a record needs its own",
            )  # fmt: skip


def _different_entries(folder: Path, results: list[RescoredRecord]) -> Iterator[Problem]:
    for rescored in results[1:]:
        if differing := set(rescored.scores) ^ set(results[0].scores):
            yield _problem(
                folder, rescored.record.path,
                f"has other entries than {results[0].record.path.name}: {min(differing)};"
                " evaluate both again",
            )  # fmt: skip


def _wrong_accuracy(folder: Path, results: list[RescoredRecord]) -> Iterator[Problem]:
    """Yield records whose accuracies differ from the networks', or from the other records'."""
    values: dict[str, list[float]] = defaultdict(list)
    for rescored in results:
        for perturbation, value in rescored.record.content.accuracy.items():
            values[perturbation].append(value)
    usual = {perturbation: median(found) for perturbation, found in values.items()}
    true = _accuracy_of_networks(results[0].record, tuple(usual)) if usual else {}
    for rescored in results:
        for perturbation, value in rescored.record.content.accuracy.items():
            expected = true.get(perturbation, usual[perturbation])
            if abs(value - expected) > _ACCURACY_TOLERANCE:
                source = "the networks have" if perturbation in true else "the other records have"
                yield _problem(
                    folder, rescored.record.path,
                    f"accuracy.{perturbation}: got {value}, {source} {expected}; evaluate again",
                )  # fmt: skip
                break


def _accuracy_of_networks(
    record: wsbench.Record, perturbations: tuple[str, ...]
) -> dict[str, float]:
    """Compute accuracies again, if the zoo is on this machine or built in seconds."""
    published = wsbench.published_zoos().get(record.zoo)
    if published is None:  # a season's fresh zoo
        return {}
    is_here = (wsbench.zoo_folder(record.zoo) / "zoo.h5").exists()
    if not is_here and not published.embedded:
        return {}
    zoo = wsbench.load_zoo(record.zoo)
    return wsbench.network_accuracy(zoo, perturbations, record.content.seed)


def _outdated(readme: Path, results: Iterable[RescoredRecord]) -> Iterator[Problem]:
    if not readme.exists():
        return
    try:
        text = with_tables(readme, markdown(results))
    except wsbench.WsbenchError as error:
        yield _problem(readme.parent, readme, str(error).removeprefix(f"{readme}: "))
        return
    if text != readme.read_text(encoding="utf-8"):
        yield _problem(
            readme.parent, readme,
            f"the tables are outdated; run wsbench leaderboard table --update {readme}",
        )  # fmt: skip


def _problem(folder: Path, path: Path, message: str) -> Problem:
    """Return a problem in one printable line; a message may begin with its file."""
    name, _, rest = message.removeprefix(f"{path.parent}/").partition(": ")
    if _NAME.fullmatch(name):  # of the record, or of its answers
        path, message = path.with_name(name), rest
    return Problem(_printable(_relative(folder, path)), _printable(message))


def _relative(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _printable(text: str) -> str:
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= _LONGEST_LINE else f"{shown[:_LONGEST_LINE]}…"
