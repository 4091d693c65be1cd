import os
import re
from dataclasses import replace
from importlib.resources import files

import pytest

from wsbench import RecipeError, build_zoo
from wsbench_zoos.architectures import MLP
from wsbench_zoos.data.sources import SOURCES
from wsbench_zoos.recipe import Training, derive_recipe, parse_recipe, publisher_of

PUBLISHED = sorted((files("wsbench_zoos") / "recipes").iterdir())


def test_parse_recipe__gives_every_value(small_recipe):
    recipe = parse_recipe(small_recipe)
    assert (recipe.id, recipe.models, recipe.epochs, recipe.seed) == ("small-mlp-v1", 5, 3, 7)
    assert (recipe.source, recipe.license) == ("digits", "CC-BY-4.0")
    assert recipe.architecture == MLP((196, 10, 10, 10))
    assert recipe.training == Training(0.03, 0.9, 3e-4, 4)
    assert recipe.text == small_recipe


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name)
def test_published_recipes__are_right_and_named_after_their_id(path):
    assert f"{parse_recipe(path.read_text()).id}.toml" == path.name


@pytest.mark.parametrize(
    ("line", "replacement", "complaint"),
    [
        ("models = 5\n", "", "models: missing; it must be an integer from 1"),
        ("models = 5", "models = 0", "line 5: models: got 0, allowed is an integer from 1"),
        ("models = 5", "models = true", "models: got True, allowed is an integer"),
        ("models = 5", "models = 5.0", "models: got 5.0, allowed is an integer"),
        (
            "epochs = 3",
            "epochs = 40000",
            "epochs: got 40000, allowed is an integer from 1 to 32767",
        ),
        ("format = 1", "format = 2", "format: got 2, allowed is the integer 1"),
        ("seed = 7", "seed = 7\nsede = 8", "line 8: sede: unknown key; allowed are format, id,"),
        ("small-mlp-v1", "Small MLP", "id: got 'Small MLP', allowed is a name-vN"),
        ("small-mlp-v1", "../up-v1", "id: got '../up-v1', allowed is a name-vN"),
        ('"digits"', '"cifar"', "[data] source: got 'cifar', allowed is"),
        ('[data]\nsource = "digits"', "", "table [data] is missing; it holds source"),
        ('"mlp"', '"rnn"', "[architecture] kind: got 'rnn', allowed is"),
        ("10, 10, 10]", "10, 17, 10]", "[architecture] widths: got [196, 10, 17, 10]"),
        ("10, 10, 10]", "10, 10]", "widths: got [196, 10, 10], allowed is a list of 4"),
        ("= 0.03", "= 0", "line 21: [training] learning_rate: got 0, allowed is a number in (0,"),
        ("= 0.03", "= nan", "learning_rate: got nan, allowed is a number"),
        ("= 0.03", '= "0.03"', "learning_rate: got '0.03', allowed is a number"),
        ("= 0.9", "= 1", "momentum: got 1, allowed is a number in [0, 1)"),
        ("batch_size = 4", "batch_size = 8", "batch_size: got 8, allowed is the integer 4"),
        ("batch_size = 4", "batch_size = ", "not TOML: "),
        ("batch_size = 4", "batch_size = '\0'", "not TOML: Found invalid character '\\x00'"),
        ("models = 5", "models = " + "[" * 20_000, "values are nested too deeply"),
        ("models = 5", "models = " + "1" * 5000, "an integer has more than 4,300 digits"),
        ("models = 5", "models = 0x" + "f" * 5000, "got a value of type int that is too long"),
        ("models = 5", "models = '" + "m" * 500 + "'", "mmm… (502 characters), allowed is"),
        ("models = 5", 'models = 5\n"a\\nb" = 1', "'a\\nb': unknown key"),
    ],
)
def test_parse_recipe__says_where_what_and_what_is_allowed(
    small_recipe, line, replacement, complaint
):
    assert line in small_recipe
    with pytest.raises(RecipeError, match=re.escape(complaint)) as caught:
        parse_recipe(small_recipe.replace(line, replacement, 1), "my.toml")
    assert str(caught.value).startswith("my.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name)
def test_published_recipes__have_the_licence_of_their_data(path):
    recipe = parse_recipe(path.read_text())
    assert recipe.license == SOURCES[recipe.source].license


def test_publisher_of__is_somebody_only_for_a_published_recipe_to_the_letter(small_recipe):
    published = parse_recipe(PUBLISHED[0].read_text())
    assert publisher_of(published) == "The wsbench maintainers"
    assert publisher_of(parse_recipe(published.text + "# edited\n")) is None
    assert publisher_of(parse_recipe(small_recipe)) is None


def _fifo(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda path: None, "cannot read this recipe: No such file or directory; give another"),
        (_fifo, "is a pipe, socket or device, expected a regular file; give the path"),
        (lambda path: path.mkdir(), "is a folder, expected a regular file; give the path"),
        (lambda path: path.symlink_to("/dev/zero"), "is a pipe, socket or device, expected"),
        (
            lambda path: path.write_bytes(b"#" * 1_000_001),
            "has more than the 1,000,000 bytes that are",
        ),
        (lambda path: path.write_bytes(b"id = '\xff'"), "byte 7 is not UTF-8; save the recipe"),
    ],
)
def test_build_zoo__names_a_file_that_is_no_recipe(tmp_path, make, complaint):
    path = tmp_path / "my.toml"
    make(path)
    with pytest.raises(RecipeError, match=f"^{re.escape(f'{path}: {complaint}')}") as caught:
        build_zoo(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("batch_size", "is_allowed"), [(0, False), (1, True), (12, True), (13, False)]
)
def test_parse_recipe__allows_the_batch_sizes_of_the_cnn(batch_size, is_allowed):
    text = (files("wsbench_zoos") / "recipes" / "digits-cnn-v2.toml").read_text()
    text = text.replace("batch_size = 2", f"batch_size = {batch_size}")
    if is_allowed:
        assert parse_recipe(text).training.batch_size == batch_size
        return
    with pytest.raises(RecipeError, match=f"batch_size: got {batch_size}, allowed is an integer"):
        parse_recipe(text)


def test_derive_recipe__changes_four_lines_and_leaves_out_comments_about_the_original(small_recipe):
    text = "# About this one.\n" + small_recipe
    changes = {"id": "my-v3", "title": 'a "title"', "models": 7, "seed": 2**52}
    derived = derive_recipe(text, **changes)
    assert derived == small_recipe.replace("small-mlp-v1", "my-v3").replace(
        "five MLPs, three epochs", r"a \"title\""
    ).replace("models = 5", "models = 7").replace("seed = 7", "seed = 4503599627370496")
    assert parse_recipe(derived) == replace(parse_recipe(text), **changes, text=derived)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name)
def test_derive_recipe__works_for_every_published_recipe(path):
    derived = parse_recipe(derive_recipe(path.read_text(), id="x-v1", title="x", models=3, seed=4))
    assert (derived.id, derived.title, derived.models, derived.seed) == ("x-v1", "x", 3, 4)


@pytest.mark.parametrize(
    ("line", "replacement"),
    [("seed = 7", '"seed" = 7'), ('id = "small-mlp-v1"', 'id = """\nsmall-mlp-v1"""')],
)
def test_derive_recipe__refuses_a_recipe_that_it_would_change_otherwise(
    small_recipe, line, replacement
):
    with pytest.raises(RecipeError):
        derive_recipe(
            small_recipe.replace(line, replacement), id="my-v3", title="x", models=7, seed=8
        )
