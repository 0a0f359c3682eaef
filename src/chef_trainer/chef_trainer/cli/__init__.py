"""The command line of the trainer, chef-train: a module per command."""

import argparse
import sys

from chef_trainer.cli import collect, compare, distill, evaluate, export, ingest, script, train
from chef_trainer.episodes import EpisodeFileError
from chef_trainer.errors import DivergedError
from chef_trainer.export.onnx import ExportError
from chef_trainer.interrupt import INTERRUPTED, interrupt_on_sigterm

EXAMPLES = """examples:
  chef-train ingest sessions/                     what is there to learn from
  chef-train train crr.yaml --run runs/crr        train; killed, it goes on by the same command
  chef-train export runs/crr --out crr.onnx       policy file and model card
  chef-train evaluate crr.onnx bc.onnx --env chef_cell.sim.environment:StackingEnv \\
      --results results.jsonl                     both on the same scenes
  chef-train compare results.jsonl
"""


def main() -> None:
    """Run one command; exit with 1 and one line on an error that the user can mend."""
    arguments = parser().parse_args()
    interrupt_on_sigterm()
    try:
        arguments.command(arguments)
    except (ValueError, OSError, EpisodeFileError, DivergedError, ExportError) as error:
        sys.exit(f'chef-train: {error}')
    except KeyboardInterrupt:
        print('chef-train: interrupted; the same command goes on from here', file=sys.stderr)
        sys.exit(INTERRUPTED)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog='chef-train',
        description='Offline trainer of the CHEF cell: episodes in, policy files out.',
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar='COMMAND')
    for module in (ingest, script, collect, distill, train, evaluate, export, compare):
        module.add(commands)
    return top
