"""The report of an evaluation: tables, legend, records and what is next, or JSON."""

from collections.abc import Sequence
from typing import Any

import msgspec

import wsbench
from wsbench.cli.fresh import gaps_as_json, print_gaps
from wsbench.cli.legend import print_legend
from wsbench.cli.output import print_line, print_wrapped
from wsbench.cli.tables import print_tables, ranks_of, too_few
from wsbench.methods.failure import advice, summary
from wsbench.metrics.ranking import LEAST_RANKED


def report(
    zoo: wsbench.Zoo,
    results: list[wsbench.Evaluation],
    records: list[wsbench.Record],
    published: Sequence[wsbench.Record],
) -> dict[str, Any]:
    """Return the scores, ranks and records of an evaluation, for JSON.

    ``published`` holds the records of the same methods on the published models, if `zoo` is fresh.
    """
    done = [result for result in results if not result.error]
    ranks = ranks_of(done)
    beside: Sequence[wsbench.Record | None] = published or [None] * len(results)
    return {
        "zoo": {"id": zoo.id, "content_digest": zoo.content_digest},
        "suite": results[0].suite.describe(),
        "methods": [
            {
                "name": result.method.info.name,
                "parameters": dict(result.method.parameters),
                "scores": msgspec.to_builtins(result.scores),
                "robustness": msgspec.to_builtins(result.robustness),
                "tracks": msgspec.to_builtins(result.tracks),
                "transductive": result.is_transductive,
                "rank": {}
                if result.error
                else {t: r.get(result.method.label) for t, r in ranks.items()},
                "seconds": result.seconds,
                "cost": msgspec.to_builtins(result.cost),
                "error": result.error,
                "record": str(record.path),
                **({"gaps": gaps_as_json(result, other)} if published else {}),
            }
            for result, record, other in zip(results, records, beside, strict=True)
        ],
    }


def print_report(
    zoo: wsbench.Zoo,
    results: list[wsbench.Evaluation],
    records: list[wsbench.Record],
    published: Sequence[wsbench.Record],
) -> None:
    """Print tables and their legend, where the records are, and what to do next."""
    n_test = len(set(zoo.model[zoo.rows("test")].tolist()))
    source = results[0].fit_on
    fitted = f"fitted on train models{f' of {source[0]}' if source else ''}"
    suite = results[0].suite.describe()
    print_wrapped(f"{zoo.id}, suite {suite}: {fitted}, scored on {n_test} test models")
    print_legend(results, print_tables(results))
    if published:
        print_gaps(results, published)
    if n_test < LEAST_RANKED:
        print_line(too_few(n_test))
    accuracy = next((result.accuracy for result in results if result.accuracy), {})
    if accuracy:
        shown = ", ".join(f"{name}\u00a0{value:.3f}" for name, value in accuracy.items())
        print_wrapped(f"accuracy of the networks: {shown}")
    for result in results:
        if result.error:
            print_wrapped(f"{result.method.info.name} failed: {summary(result.error)}")
    print_line(f"records in {records[0].path.parent}:")
    for record in records:
        print_line(f"  {record.path.name}")
    _print_next(results, records)


def _print_next(results: list[wsbench.Evaluation], records: list[wsbench.Record]) -> None:
    failed = [result for result in results if result.error]
    if failed:
        print_line(f"next: {advice(failed[0].error or '')}")
        print_line(f"      wsbench evaluate {failed[0].method.arguments}")
        return
    own = [result for result in results if ":" in result.method.spec]
    if not own:
        print_line("next: write a class with transform(checkpoints), then")
        print_line("      wsbench evaluate my_method.py:MyMethod euclidean")
    elif own[0].suite.measures_cost:
        print_line(f"next: wsbench submit {records[results.index(own[0])].path}")
    else:
        print_line(f"next: wsbench evaluate {own[0].method.arguments} --suite standard")
