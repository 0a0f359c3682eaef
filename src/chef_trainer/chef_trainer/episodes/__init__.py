"""Episode files: one MCAP per episode, written while it happens, read in place."""

from chef_trainer.episodes.bag import Channel
from chef_trainer.episodes.errors import DiskFullError, EpisodeFileError
from chef_trainer.episodes.images import Frames
from chef_trainer.episodes.labels import Label, add_label, labelled, read_labels
from chef_trainer.episodes.reader import EpisodeReader, Message, Topic
from chef_trainer.episodes.recovery import find_unfinished, recover, recover_all
from chef_trainer.episodes.retention import Removal, Retention
from chef_trainer.episodes.threaded import Encode, ThreadedWriter
from chef_trainer.episodes.writer import ACTIVE_SUFFIX, EpisodeWriter

__all__ = [
    'ACTIVE_SUFFIX',
    'Channel',
    'DiskFullError',
    'Encode',
    'EpisodeFileError',
    'EpisodeReader',
    'EpisodeWriter',
    'Frames',
    'Label',
    'Message',
    'Removal',
    'Retention',
    'ThreadedWriter',
    'Topic',
    'add_label',
    'find_unfinished',
    'labelled',
    'read_labels',
    'recover',
    'recover_all',
]
