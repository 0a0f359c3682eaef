"""Episode files: one MCAP per episode, written while it happens, read in place."""

from chef_trainer.episodes.bag import Channel
from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.images import Frames
from chef_trainer.episodes.reader import EpisodeReader, Message, Topic
from chef_trainer.episodes.recovery import find_unfinished, recover, recover_all
from chef_trainer.episodes.threaded import ThreadedWriter
from chef_trainer.episodes.writer import ACTIVE_SUFFIX, EpisodeWriter

__all__ = [
    'ACTIVE_SUFFIX',
    'Channel',
    'EpisodeFileError',
    'EpisodeReader',
    'EpisodeWriter',
    'Frames',
    'Message',
    'ThreadedWriter',
    'Topic',
    'find_unfinished',
    'recover',
    'recover_all',
]
