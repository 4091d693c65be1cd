"""Fresh models at the terminal: training, and scores beside those on the published models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

import wsbench
from wsbench.cli.output import print_line, print_wrapped
from wsbench.cli.progress import build_progress
from wsbench.methods.protocol import MethodDescription
from wsbench.tasks.tracks import OVERALL

Asked = wsbench.Zoo | wsbench.FreshZoo


def asked_zoo(
    zoo: wsbench.Zoo, suite: wsbench.Suite, text: str | None, fit_on: str | None
) -> Asked:
    """Return what methods are asked about: the zoo itself, or fresh models of its recipe."""
    if text is None:
        return zoo
    if fit_on is not None:
        raise typer.BadParameter(
            "fresh models are fitted on their own zoo; give one or the other",
            param_hint="--fresh, --fit-on",
        )
    try:
        with build_progress(f"fresh models of {zoo.id}", "training") as progress:
            return wsbench.fresh_zoo(zoo, suite.describe(), text, progress=progress)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fresh") from None


def known_record(
    method: MethodDescription, zoo: wsbench.Zoo, suite: wsbench.Suite, folder: Path
) -> wsbench.Record | None:
    """Return a record of the same method on the published models, from an earlier run.

    Its code, parameters, suite, zoo and task versions are the same, and its seed is 0.
    """
    for path in sorted((folder / zoo.id).glob(f"{method.info.name}-*.json")):
        try:
            record = wsbench.load_record(path)
        except wsbench.WsbenchError:
            continue  # damaged: the method is evaluated again
        content = record.content
        found = (
            content.method.code_sha256, content.method.parameters, content.suite, content.seed,
            content.zoo.content_digest, content.fit_on,
        )  # fmt: skip
        wanted = (
            method.code_sha256, dict(method.parameters), wsbench.suite_entry(suite), 0,
            zoo.content_digest, None,
        )  # fmt: skip
        if found == wanted and not content.error and not record.is_stale:
            return record
    return None


def print_gaps(
    results: Sequence[wsbench.Evaluation], published: Sequence[wsbench.Record | None]
) -> None:
    """Print each method's score on fresh and on published models, and the difference."""
    rows = [("method", "published", "fresh", "difference 95 %")]
    gaps = [overall_gaps(*pair) for pair in zip(results, published, strict=True)]
    first = next((next(iter(found)) for found in gaps if found), None)
    if first is None:
        return
    for result, found in zip(results, gaps, strict=True):
        if gap := found.get(first):
            ends = " {:+z.3f} … {:+z.3f}".format(*gap.interval) if gap.interval else ""
            difference = f"{gap.difference:+z.3f}{ends}{' *' * gap.is_open}"
            values = f"{gap.published:z.3f}", f"{gap.other:z.3f}"
            rows.append((result.method.label, *values, difference))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print_line(f"{first} on fresh models, beside the published ones:")
    for label, *cells in rows:
        shown = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        print_line("  ".join((label.ljust(widths[0]), *shown)).rstrip())
    if any(found[first].is_open for found in gaps if first in found):
        print_wrapped("*: the interval excludes 0: fresh and published models differ")
    print_line()


def overall_gaps(
    result: wsbench.Evaluation, record: wsbench.Record | None
) -> dict[str, wsbench.Gap]:
    """Return the gap of the overall score, or of each task in a suite without tracks."""
    if record is None or result.error or record.content.answers is None:
        return {}
    gaps = wsbench.generalisation_gaps(
        wsbench.load_answers(record), (result.answers, result.truths), result.suite.tracks
    )
    return {task: by_track[OVERALL] for task, by_track in gaps.items()}


def gaps_as_json(result: wsbench.Evaluation, record: wsbench.Record | None) -> dict[str, Any]:
    """Return the gaps of a method for JSON."""
    return {
        task: {
            "published": gap.published,
            "fresh": gap.other,
            "difference": gap.difference,
            "interval": gap.interval,
        }
        for task, gap in overall_gaps(result, record).items()
    }
