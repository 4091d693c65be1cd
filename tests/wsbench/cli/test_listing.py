"""The command list: zoos and methods, perturbations, tasks."""

import json

import pytest

import wsbench
from wsbench.networks.perturbations import MEANINGS, applicable, networks_that_allow


@pytest.fixture
def own(small_recipe, run, tmp_path):
    """Build a recipe of one's own into the cache."""
    (tmp_path / "small.toml").write_text(small_recipe)
    assert run("build", tmp_path / "small.toml").status == 0
    return "small-mlp-v1"


def test_list__shows_zoos_of_ones_own_recipes(run, own):
    (line,) = (line for line in run("list").out.splitlines() if own in line)
    assert line.startswith(f"  {own}     five MLPs, three epochs; ")
    assert line.endswith(" kB, built, not published")
    listed = {zoo["id"]: zoo for zoo in json.loads(run("list", "--json").out)["zoos"]}
    assert set(listed) == {*wsbench.published_zoos(), own}
    assert listed[own]["published"] is False
    assert listed[own]["bytes"] == (wsbench.zoo_folder(own) / "zoo.h5").stat().st_size
    assert listed["digits-mlp-v2"]["published"] is True


def test_list__of_a_zoo_with_a_damaged_card_shows_its_id(run, own):
    card = wsbench.zoo_folder(own) / "README.md"
    for damage in (lambda: card.write_bytes(b"\xff\xfe"), card.unlink):
        damage()
        assert f"  {own}     {own}; " in run("list").out


def test_list__shows_no_zoo_twice(run, publisher):
    assert run("build", "made-up-v1").status == 0
    assert run("list").out.count("made-up-v1") == 1


def test_list__perturbations_says_what_each_does_and_for_which_networks(run):
    *lines, following = run("list", "--perturbations").out.splitlines()
    assert [line.split()[0] for line in lines] == list(wsbench.PERTURBATIONS)
    shown = dict(zip(wsbench.PERTURBATIONS, lines, strict=True))
    assert shown["int8"].split(maxsplit=1)[1] == "each tensor rounded to 255 levels (all networks)"
    assert shown["rescale"].endswith("(networks with identity, leaky-relu or relu)")
    assert following.startswith("next: wsbench evaluate --perturb ")
    content = json.loads(run("list", "--perturbations", "--json").out)["perturbations"]
    assert {one["name"]: one["kind"] for one in content} == wsbench.PERTURBATIONS


@pytest.mark.parametrize("activation", ["identity", "leaky-relu", "relu", "sigmoid", "tanh"])
def test_networks_that_allow__are_those_that_it_applies_to(activation):
    layout = wsbench.Layout.of([("fc.weight", (2, 3), ("output", "input"))], activation)
    for name in wsbench.PERTURBATIONS:
        words = networks_that_allow(name)
        assert applicable(name, layout) == (words == "all networks" or activation in words)


def test_meanings__are_of_all_perturbations():
    assert list(MEANINGS) == list(wsbench.PERTURBATIONS)


def test_list__tasks_names_question_and_primary_score(run):
    *lines, following = run("list", "--tasks").out.splitlines()
    assert lines == [
        f"{name:<21}  {task.QUESTION} ({wsbench.primary_score(name).heading})"
        for name, task in wsbench.TASKS.items()
    ]
    assert following == "next: wsbench evaluate --task ordering"
    content = json.loads(run("list", "--tasks", "--json").out)["tasks"]
    assert [one["name"] for one in content] == list(wsbench.TASKS)


def test_list__of_both_is_refused(run):
    complaint = run("list", "--tasks", "--perturbations").complaint()
    assert "give one of --perturbations and --tasks" in complaint


@pytest.mark.parametrize("option", [[], ["--tasks"], ["--perturbations"]])
@pytest.mark.parametrize("columns", [80, 60])
def test_list__fits_the_terminal(on_terminal, option, columns):
    result = on_terminal("list", *option, columns=columns)
    assert result.status == 0
    assert all(len(line) <= columns for line in result.out.splitlines())
