"""Recipes and teachers for the point mass; without torch only the doors to the cell are tested."""

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

HERE = Path(__file__).parent
# Networks this small are slower on two threads, and much slower on two busy cores.
os.environ['OMP_NUM_THREADS'] = '1'
# Environments are found by name, in this process and in the workers that it spawns.
sys.path.insert(0, str(HERE))

DOORS = ('test_policy_file.py',)  # besides folders: what the cell's environment runs
# In folders, with torch.
TRAINS = tuple(
    f'bench/test_{name}.py' for name in ('interrupted', 'learning', 'outcomes', 'results', 'tasks')
)

if importlib.util.find_spec('torch') is None:
    collect_ignore = [path.name for path in HERE.glob('test_*.py') if path.name not in DOORS]
    collect_ignore += TRAINS


@pytest.fixture
def teachers(tmp_path: Path) -> Path:
    """Return a folder with released policies of random weights for triplets 1 and 2."""
    from point_mass import released_weights

    folder = tmp_path / 'teachers'
    folder.mkdir()
    for triplet in (1, 2):
        np.savez(folder / f'triplet{triplet}.npz', **released_weights(triplet))
    return folder


@pytest.fixture
def recipe_values() -> dict:
    """Return a recipe for the point mass, as YAML would hold it."""
    return {
        'name': 'point_mass',
        'observations': [
            {'name': 'position', 'shape': [5], 'unit': 'm', 'history': 2},
            {'name': 'goal', 'shape': [5], 'unit': 'm'},
            {'name': 'triplet', 'shape': [2], 'unit': '1'},
        ],
        'episodes': {'1': 6, '2': 6},
        'iterations': [
            {'updates': 400, 'teacher_share': 1.0},
            {'updates': 400, 'teacher_share': 0.25},
        ],
        'hidden': [32, 32],
        'batch': 64,
        'learning_rate': 0.003,
        'seed': 3,
    }


@pytest.fixture
def recipe_file(tmp_path: Path, recipe_values: dict) -> Path:
    """Return the recipe as a file."""
    path = tmp_path / 'recipe.yaml'
    path.write_text(yaml.safe_dump(recipe_values))
    return path
