"""Batches of transitions, drawn from episode files where they lie."""

from chef_trainer.replay.batch import Batch, Window
from chef_trainer.replay.dataset import Dataset
from chef_trainer.replay.follow import following
from chef_trainer.replay.mixture import Mixture

__all__ = ['Batch', 'Dataset', 'Mixture', 'Window', 'following']
