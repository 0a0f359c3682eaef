"""All networks of one agent, built from a method and the settings."""

import copy
import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from chef_trainer.methods.method import Evaluation, Method
from chef_trainer.networks.actor import Actor
from chef_trainer.networks.auxiliary import Auxiliary
from chef_trainer.networks.critic import Critic, StateValue
from chef_trainer.networks.encoder import Encoder, VisionSettings
from chef_trainer.spec import ObservationSpec

# Multipliers before softplus, as Acme starts them; SAC's temperature starts at 1.
INITIAL_DUALS = {
    'temperature': 10.0,
    'penalty': 10.0,
    'mean': 10.0,
    'stddev': 1000.0,
    'logits': 10.0,
}
INITIAL_SAC_TEMPERATURE = 0.5413
STATE_ONLY = VisionSettings()


@dataclasses.dataclass(frozen=True)
class NetworkSettings:
    """What the networks see and how large they are."""

    observations: tuple[ObservationSpec, ...]
    tasks: tuple[str, ...] = ('stack_leave',)  # each has its heads; the first is deployed
    action_size: int = 5
    discrete: bool = True  # whether the last action is -1 or 1 (the gripper)
    differences: tuple[tuple[str, str], ...] = ()  # see networks.Features
    relative: tuple[tuple[str, str], ...] = ()  # see networks.Features
    lines: tuple[tuple[str, str], ...] = ()  # see networks.Features
    hidden: tuple[int, ...] = (256, 256, 256)  # units of the policy; the tasks share the first
    critic_hidden: tuple[int, ...] = (256, 256, 256, 256)
    min_stddev: float = 1e-2  # of the policy, share of full scale
    vision: VisionSettings = STATE_ONLY
    auxiliary: tuple[ObservationSpec, ...] = ()  # states that the encoder learns to tell, too

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be built."""
        if not self.observations or not self.tasks:
            raise ValueError('needs at least one observation and one task')
        if not self.hidden or len(self.critic_hidden) < 2:
            raise ValueError(
                f'hidden = {self.hidden}, critic_hidden = {self.critic_hidden}: '
                'need at least 1 and 2 layers'
            )


class AgentNetworks(nn.Module):
    """Encoder, policy, and what the method needs beside them.

    With a critic the encoder learns from the critic's loss alone, and the policy sees its output
    without a gradient; without one it learns from the policy's. An auxiliary loss adds to it.
    """

    def __init__(self, method: Method, settings: NetworkSettings) -> None:
        super().__init__()
        tasks, size = len(settings.tasks), settings.action_size
        self.encoder = Encoder(
            settings.observations,
            settings.differences,
            settings.vision,
            settings.relative,
            settings.lines,
        )
        inputs = self.encoder.output_size
        self.auxiliary = Auxiliary(inputs, settings.auxiliary) if settings.auxiliary else None
        self.actor = Actor(
            inputs,
            settings.hidden,
            tasks,
            size,
            settings.discrete,
            method.squashed,
            settings.min_stddev,
            method.exploration,
        )
        self.critic: Critic | None = None
        self.value: StateValue | None = None
        if method.has_critic:
            outputs = method.atoms or 1
            self.critic = Critic(
                inputs, settings.critic_hidden, method.members, tasks, size, outputs
            )
        if method.evaluation is Evaluation.EXPECTILE:
            self.value = StateValue(inputs, settings.critic_hidden, tasks)
        self.duals = nn.ParameterDict(_duals(method, tasks, size - settings.discrete))
        atoms = torch.linspace(*method.value_range, method.atoms) if method.atoms else None
        self.register_buffer('atoms', atoms)

    def fit_features(self, batches: list[Mapping[str, Tensor]]) -> None:
        """Standardise states by the statistics of `batches`."""
        self.encoder.fit(batches)
        if self.auxiliary is not None:
            self.auxiliary.fit(batches)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters by whose loss they follow: critic, policy, duals."""
        critic = [module for module in (self.critic, self.value) if module is not None]
        encoder = list(self.encoder.parameters())
        if self.auxiliary is not None:
            encoder += self.auxiliary.parameters()
        policy = list(self.actor.parameters())
        parts = {
            'critic': [p for module in critic for p in module.parameters()],
            'policy': policy if critic else encoder + policy,
            'duals': list(self.duals.parameters()),
        }
        if critic:
            parts['critic'] = encoder + parts['critic']
        return {name: parameters for name, parameters in parts.items() if parameters}

    def frozen_copy(self) -> 'AgentNetworks':
        """Return a target network: the same numbers, no gradients."""
        return copy.deepcopy(self).requires_grad_(False)


def _duals(method: Method, tasks: int, gaussians: int) -> dict[str, Tensor]:
    shapes: dict[str, tuple[int, ...]] = {}
    if method.temperature is None:
        shapes['temperature'] = (tasks,)
    if method.trust_region:
        shapes |= {
            'penalty': (tasks,),
            'mean': (tasks, gaussians),
            'stddev': (tasks, gaussians),
            'logits': (tasks, 1),
        }
    duals = {name: torch.full(shape, INITIAL_DUALS[name]) for name, shape in shapes.items()}
    if method.evaluation is Evaluation.SOFT:
        duals['temperature'].fill_(INITIAL_SAC_TEMPERATURE)
    return duals
