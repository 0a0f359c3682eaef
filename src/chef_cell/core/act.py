"""From action to task command; defined in the trainer, which reads actions back from commands."""

from chef_trainer.task.act import INITIAL_ACTION, ActionError, clip_action, to_command

__all__ = ['INITIAL_ACTION', 'ActionError', 'clip_action', 'to_command']
