"""The legend below the tables of an evaluation."""


def legend(out):
    """Return the legend: column to what it means."""
    lines = out.splitlines()
    return {
        line[2:].partition("  ")[0]: line[2:].partition("  ")[2].strip()
        for line in lines[lines.index("columns") + 1 :]
        if line.startswith("  ")
    }


def test_legend__names_the_conditions_of_each_track_that_these_networks_allow(run, make_zoo):
    """Sigmoid networks allow no rescale, and retrieval is not asked under widen."""
    asked = ["evaluate", "euclidean", "--zoo", make_zoo(models=30), "--suite", "standard"]
    found = legend(run(*asked).out)
    assert found["symmetry"] == "mean over permute, widen (retrieval without widen)"
    assert found["compression"] == "mean over bfloat16, int8, int4, prune-50"
    assert found["both"].startswith("under permute+int8: ")
    assert found["MAP@R"].endswith(
        "the score of identification, sparse-identification and retrieval"
    )


def test_legend__explains_the_star_of_a_transductive_method(run, make_zoo, tmp_path):
    (tmp_path / "centred.py").write_text(
        "def centred(weights):\n    return weights / abs(weights - weights.mean(axis=0)).max()\n"
    )
    zoo = make_zoo(models=50)
    result = run("evaluate", f"{tmp_path}/centred.py:centred", "euclidean", "--zoo", zoo)
    rows = [line.split() for line in result.out.split("\n\n")[0].splitlines()]
    assert {"euclidean": "1", "centred": "*"}.items() <= {
        r[0]: r[1] for r in rows if len(r) > 1
    }.items()
    assert legend(result.out)["*"].startswith("no rank: a distance depends on which other check")
    assert "*" not in legend(run("evaluate", "euclidean", "--zoo", zoo).out)


def test_legend__without_tracks_explains_each_perturbation(run, make_zoo):
    asked = ["--task", "ordering", "--perturb", "none", "--perturb", "int4"]
    zoo = make_zoo(models=50)
    found = legend(run("evaluate", "euclidean", "--zoo", zoo, *asked).out)
    assert found["int4"] == "the score under int4: each tensor rounded to 15 levels"
    assert found["|tau|"].startswith("Kendall's rank correlation with the order of the epochs")
    assert found["95 %"] == "interval over test models"
    assert {"none", "direction", "tau", "pairs"} <= set(found)
    assert not {"overall", "s", "MAP@R"} & set(found)


def test_legend__of_too_few_models_speaks_of_no_interval(run, make_zoo):
    found = legend(run("evaluate", "euclidean", "--zoo", make_zoo(models=10)).out)
    assert found["overall"] == "mean over the tracks"
    assert "rank" not in found
