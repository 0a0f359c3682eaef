"""chef-train export: the newest checkpoint of a run as a policy file."""

import argparse
from pathlib import Path

from chef_trainer.cli.arguments import show
from chef_trainer.distillation.aggregate import Aggregate
from chef_trainer.distillation.learner import Learner as Distiller
from chef_trainer.distillation.run import open_run
from chef_trainer.evaluation.card import write_card
from chef_trainer.export.onnx import Policy, export_policy
from chef_trainer.learner import checkpoint
from chef_trainer.learner.learner import Learner
from chef_trainer.learner.run import open_train_run
from chef_trainer.networks.deployed import DeployedPolicy
from chef_trainer.run_directory import read_claim
from chef_trainer.spec import PolicySpec


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = commands.add_parser(
        'export',
        help='turn the newest checkpoint of a run into a policy file',
        description='Export the newest checkpoint of a run of `train` or `distill` to ONNX with '
        'its spec inside, checked against torch, ready for the cell (`load_policy`, '
        '`chef session --policy`). The model card lies beside it.',
    )
    command.add_argument('run', type=Path, help='folder given as --run')
    command.add_argument('--out', type=Path, required=True, help='policy file to write (.onnx)')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Carry out the command."""
    distilled = 'recipe' in read_claim(arguments.run / 'run.json')
    policy, spec = (_distilled if distilled else _trained)(arguments.run)
    difference = export_policy(policy, spec, arguments.out)
    card = arguments.out.with_suffix('.md')
    if not card.exists():
        write_card(card, arguments.out)
    show(f'{arguments.out}: ONNX Runtime is {difference:.1e} off torch; card: {card}')


def _trained(directory: Path) -> tuple[Policy, PolicySpec]:
    training = open_train_run(directory)
    settings = training.settings
    learner = Learner(settings.row, settings.network_settings, settings.updates, settings.seed)
    checkpoint.load(learner, training.checkpoint)
    return DeployedPolicy(learner.networks), training.spec(learner.step)


def _distilled(directory: Path) -> tuple[Policy, PolicySpec]:
    distillation = open_run(directory)
    learner = Distiller(distillation.recipe, distillation.load_teachers())
    learner.load(distillation.checkpoint)
    aggregate, updates, iteration = Aggregate(distillation.recipe.observations), 0, -1
    while updates < learner.step:
        iteration += 1
        updates += distillation.recipe.iterations[iteration].updates
        aggregate.add(distillation.episodes(iteration))
    return learner.policy, distillation.spec(iteration, aggregate.sha256)
