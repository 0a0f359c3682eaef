"""What a method is: where actions come from, what they weigh, how the policy follows.

Every method fits the policy to prior(a|s) exp(Q(s, a) / eta) ("How to Spend Your Robot Time",
Lampe et al., 2023, eq. 3). A `Method` names the choices; `learner` carries them out.
"""

import dataclasses
import enum

from chef_trainer.methods.schedule import NEVER, UNIT, Schedule


class Evaluation(enum.StrEnum):
    """What the critic's target assumes after the next state."""

    NONE = 'none'  # no critic
    EXPECTED = 'expected'  # mean over actions of the target policy, least member
    SOFT = 'soft'  # the same minus alpha log pi, online policy (SAC)
    CLIPPED = 'clipped'  # target policy with clipped noise, least member (TD3)
    EXPECTILE = 'expectile'  # V(s'), fitted to an expectile of the target Q (IQL)


class Proposals(enum.StrEnum):
    """Whose actions the policy is pulled towards."""

    DATA = 'data'  # the recorded action
    TEACHER = 'teacher'  # samples of a given policy
    POLICY = 'policy'  # samples of the target policy
    PATHWISE = 'pathwise'  # the policy's own, by the gradient of Q


class Weighting(enum.StrEnum):
    """How much each proposal counts."""

    ONES = 'ones'  # imitation
    EXPONENTIAL = 'exponential'  # exp(A / eta), capped
    BINARY = 'binary'  # 1[A > 0]
    BATCH = 'batch_softmax'  # exp(A / eta), normalised over the batch
    SAMPLES = 'sample_softmax'  # exp(Q / eta), normalised over the proposals of a state


@dataclasses.dataclass(frozen=True)
class Method:
    """One row of the table. Updates count from 0."""

    # improvement
    proposals: Proposals = Proposals.DATA
    weighting: Weighting = Weighting.ONES
    teacher_share: float = 0.0  # share of proposals that a teacher makes instead, 0 .. 1
    samples: int = 1  # actions per state: proposals, baseline, target
    target_weights: bool = False  # weigh with the target critic instead of the online one
    temperature: Schedule | None = UNIT  # eta; None: learned
    weight_cap: float = 20.0  # of the exponential weight
    successes_only: bool = False  # learn from successful episodes only
    # evaluation
    evaluation: Evaluation = Evaluation.NONE
    members: int = 1  # critics; the least counts
    atoms: int = 0  # of a distributional critic; 0: scalar
    value_range: tuple[float, float] = (0.0, 100.0)  # of the atoms: r in 0 .. 1, gamma 0.99
    n_step: int = 1
    discount: float = 0.99  # gamma, per control step
    expectile: float = 0.7  # tau of IQL
    noise: float = 0.2  # TD3: deviation of the target's noise
    noise_clip: float = 0.5
    # MPO's constraints, in nats
    trust_region: bool = False
    epsilon: float = 0.1  # of the weights from the proposals, where the temperature is learned
    epsilon_penalty: float = 1e-3  # of the weights against actions outside the box
    epsilon_mean: float = 2.5e-3  # per dimension
    epsilon_stddev: float = 1e-6  # per dimension
    epsilon_logits: float = 2.5e-3
    # the policy's form
    squashed: bool = False  # tanh of a Gaussian
    exploration: float = 0.0  # fixed deviation of a deterministic policy; 0: it is learned
    # data and optimisation
    online_share: Schedule = NEVER  # of a batch, from the online source
    batch: int = 256
    learning_rate: float = 3e-4  # Adam
    cosine: bool = False  # let the policy's rate fall to 0 over the run
    dual_rate: float = 1e-2  # Adam, of the multipliers
    weight_decay: float = 0.0  # of the policy
    max_gradient: float = 40.0  # norm, of the policy's gradient and of the critic's
    policy_period: int = 1  # updates of the critic per one of the policy
    target_period: int = 1  # updates between moves of the target networks
    target_rate: float = 5e-3  # how far they move: 1 copies

    def __post_init__(self) -> None:
        """Refuse rows that contradict themselves."""
        pathwise = self.proposals is Proposals.PATHWISE
        weighted = not pathwise and self.weighting is not Weighting.ONES
        needs_critic = weighted or pathwise
        mistakes = {
            'a weighting by advantage or a pathwise projection needs an evaluation': (
                needs_critic != self.has_critic
            ),
            'soft evaluation needs a scalar critic and a squashed policy': (
                self.evaluation is Evaluation.SOFT and not (self.squashed and self.atoms == 0)
            ),
            'a learned temperature needs a softmax over samples or batch, or soft evaluation': (
                self.temperature is None
                and self.weighting not in (Weighting.SAMPLES, Weighting.BATCH)
                and self.evaluation is not Evaluation.SOFT
            ),
            'an expectile needs a scalar critic': (
                self.evaluation is Evaluation.EXPECTILE and self.atoms > 0
            ),
            'an expectile judges recorded actions only': (
                self.evaluation is Evaluation.EXPECTILE
                and (self.proposals is not Proposals.DATA or self.teacher_share > 0)
            ),
            'a trust region needs proposals of the policy': (
                self.trust_region and self.proposals is not Proposals.POLICY
            ),
        }
        for rule, broken in mistakes.items():
            if broken:
                raise ValueError(f'contradictory method: {rule}')
        self._check_ranges()

    def _check_ranges(self) -> None:
        for name in ('teacher_share', 'expectile', 'discount', 'target_rate'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} = {getattr(self, name)}, must be in 0 .. 1')
        for value in self.online_share.values:
            if not 0 <= value <= 1:
                raise ValueError(f'online_share = {value}, must be in 0 .. 1')
        counts = ('samples', 'members', 'n_step', 'batch', 'policy_period', 'target_period')
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f'{name} = {getattr(self, name)}, must be at least 1')
        if self.atoms == 1 or not self.value_range[0] < self.value_range[1]:
            raise ValueError(
                f'atoms = {self.atoms} on {self.value_range}: needs 0 or at least 2, in order'
            )

    @property
    def has_critic(self) -> bool:
        """Whether there is a Q function."""
        return self.evaluation is not Evaluation.NONE

    @property
    def targets(self) -> tuple[str, ...]:
        """Groups of parameters (see `AgentNetworks.groups`) whose target copies are asked."""
        asks_policy = (
            self.evaluation in (Evaluation.EXPECTED, Evaluation.CLIPPED)
            or self.proposals is Proposals.POLICY
        )
        return ('critic',) * self.has_critic + ('policy',) * asks_policy

    @property
    def has_teacher(self) -> bool:
        """Whether it asks a teacher."""
        return self.proposals is Proposals.TEACHER or self.teacher_share > 0

    @property
    def is_online(self) -> bool:
        """Whether it ever asks for the policy's own episodes."""
        return max(self.online_share.values) > 0
