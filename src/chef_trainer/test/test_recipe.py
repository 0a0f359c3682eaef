"""Recipes say what they do not understand."""

from pathlib import Path

import pytest
import yaml

from chef_trainer.distillation.recipe import RecipeError, from_dict, load_recipe

MODELS = Path(__file__).parents[3] / 'models'


def test_values_become_a_recipe(recipe_file):
    recipe = load_recipe(recipe_file)
    assert recipe.updates == 800
    assert recipe.observations[0].stacked_shape == (2, 5)
    assert recipe.episodes == {'1': 6, '2': 6}


@pytest.mark.parametrize('path', sorted(MODELS.glob('*.yaml')), ids=lambda path: path.name)
def test_shipped_recipes_are_valid(path):
    assert load_recipe(path).name == path.stem


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'learning_rat': 1}, r"unknown \['learning_rat'\], allowed: .*'learning_rate'"),
        ({'iterations': [{'update': 1}]}, r"Iteration: unknown \['update'\]"),
        ({'iterations': [{'updates': 1}]}, 'first iteration has no student'),
        ({'iterations': []}, 'first iteration has no student'),
        ({'sampled_share': 1.5}, r'sampled_share = 1\.5, must be in 0 \.\. 1'),
        ({'batch': 0}, 'batch = 0, must be positive'),
        ({'hints': 1.0}, r"hints = 1\.0, chooser = '': .* need a network per teacher"),
        ({'episodes': {}}, 'at least one per triplet'),
        ({'observations': [{'nam': 'x'}]}, r"ObservationSpec: unknown \['nam'\]"),
    ],
)
def test_wrong_values_are_named(recipe_values, change, message):
    with pytest.raises(RecipeError, match=message):
        from_dict({**recipe_values, **change})


def test_missing_key_is_named(recipe_values):
    del recipe_values['name']
    with pytest.raises(RecipeError, match=r"missing .*'name'"):
        from_dict(recipe_values)


@pytest.mark.parametrize('text', ['- a list', 'a: [unclosed', ''])
def test_files_that_are_no_recipes_are_refused(tmp_path, text):
    (tmp_path / 'recipe.yaml').write_text(text)
    with pytest.raises(RecipeError, match=r'recipe\.yaml'):
        load_recipe(tmp_path / 'recipe.yaml')


def test_absent_file_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r'gone\.yaml'):
        load_recipe(tmp_path / 'gone.yaml')


def test_recipe_survives_yaml(recipe_values):
    assert from_dict(yaml.safe_load(yaml.safe_dump(recipe_values))) == from_dict(recipe_values)
