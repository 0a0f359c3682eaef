"""A stacker written by hand: what to do follows from the poses of this moment alone.

Without a memory it can be asked about any state, as DAgger and the R methods need, and imitated
from single readings. It grasps red from above, carries it over blue, lets go and rises. Two
funnels take the place of phases: the tool is held above red by a height that grows with the
distance left, and red above blue likewise, so that nothing is approached from the side.

Pupils are smooth where this is a switch: where advice turned round, or fell to nothing, from one
millimetre to the next, they would come to rest and never leave. So what leads over a border goes
on behind it, and what was begun has wider limits than what begins.
"""

import dataclasses
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.networks.features import Features
from chef_trainer.networks.rotations import body_axes, turn_between_lines
from chef_trainer.spec import PolicySpec
from chef_trainer.task.observe import observation_specs

OBSERVATIONS = observation_specs(
    (
        'joint_position',
        'gripper_position',
        'grasp',
        'tool_pose',
        'red_pose',
        'green_pose',
        'blue_pose',
    ),
    1,
)

#: Triplet -> axes of its red object between whose faces the fingers fit, the better ones first.
CLOSING_AXES = {'2': (0,), '3': (0, 1), '4': (0, 1, 2), '5': (2, 0)}

_GAIN = 25.0  # full speed (0.07 m/s) 4 cm from the goal
_YAW_GAIN = 2.0  # full speed (1 rad/s) half a radian from the goal
_HOVER = 0.09  # m, rim of the funnel over red
_LIFTED = 0.07  # m, rim of the funnel over blue
_ON_BLUE = 0.035  # m, red above blue: below any two faces, so red is pressed on softly
_RISEN = 0.10  # m, tool above red at the end, as `stack_leave` wants it
_SINKING = 0.004  # m, way down while the fingers open: it must not end where red counts as placed
# rad; the cell keeps the seventh joint within +-pi/2. What is missing then need not be turned, and
# with less than pi/2 there would be angles that neither way round allows.
_WRIST_RANGE = 1.65
_CLOSED = 2.0  # logit of the gripper's choice: 98 % sure
_DRIFT_PERIOD = 0.08  # m, of green's place: short beside the table, long beside a push


@dataclasses.dataclass(frozen=True)
class StackerSettings:
    """Whose stacker, and how bad."""

    noise: float = 0.0  # deviation of the velocities, share of full scale
    displaced: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far from its place red is seen (m, base frame): a badly calibrated camera."""
    drift: float = 0.0
    """How much that differs between episodes: it is 1 - drift .. 1 + drift times as far.

    As if many cells shared their episodes. How far it is in one follows from where green lies: the
    stacker needs no memory, and a pupil that does not see green cannot know.
    """

    def __post_init__(self) -> None:
        """Refuse what is no deviation and no place."""
        if not 0 <= self.noise < math.inf:
            raise ValueError(f'noise = {self.noise}, must be finite and not negative')
        if len(self.displaced) != 3 or not all(map(math.isfinite, self.displaced)):
            raise ValueError(f'displaced = {self.displaced}, expected three numbers in m')
        if not 0 <= self.drift <= 1:
            raise ValueError(f'drift = {self.drift}, must be in 0 .. 1')


class ScriptedStacker(nn.Module):
    """Observations to actions, like a trained policy.

    Raises:
        ValueError: nobody has written down how red of this triplet is grasped.
    """

    axes: Tensor
    displaced: Tensor

    def __init__(self, triplet: str, settings: StackerSettings) -> None:
        super().__init__()
        if triplet not in CLOSING_AXES:
            raise ValueError(f'no script stacks triplet {triplet!r}, only: {[*CLOSING_AXES]}')
        self.spec = PolicySpec(
            f'scripted_{triplet}',
            OBSERVATIONS,
            triplets=(triplet,),
            provenance={'script': __name__, **dataclasses.asdict(settings)},
        )
        self.observations = OBSERVATIONS
        self.features = Features(OBSERVATIONS)
        self.noise = max(settings.noise, 1e-3)  # a density needs some
        self.drift = settings.drift
        self.register_buffer('axes', torch.tensor(CLOSING_AXES[triplet]))
        self.register_buffer('displaced', torch.tensor(settings.displaced))

    def forward(self, observations: Mapping[str, Tensor]) -> MixedDistribution:
        """Map name -> (B, *shape) to the distribution of B actions."""
        state = self._state(observations)
        approach, carry, leave = self._approach(state), self._carry(state), self._leave(state)
        way = torch.where(state.held[:, None], carry, approach)  # m, to where the tool should be
        way = torch.where(state.placed[:, None], leave, way)
        turns = ~state.placed & ~state.held
        yaw = torch.where(turns, _YAW_GAIN * state.turn, 0.0)
        mean = torch.cat((_GAIN * way, yaw[:, None]), 1).clamp(-1, 1)
        closes = ~state.placed & (state.held | (state.reached & (state.turn.abs() < 0.35)))
        close = torch.where(closes, _CLOSED, -_CLOSED)
        logits = torch.stack((-close, close), 1)
        return MixedDistribution(mean, torch.full_like(mean, self.noise), logits)

    def _state(self, observations: Mapping[str, Tensor]) -> '_State':
        red = observations['red_pose'][:, :3] + self.displaced * self._times(observations)
        tool, blue = observations['tool_pose'][:, :3], observations['blue_pose'][:, :3]
        to_red, to_blue = red - tool, blue - red
        apart = to_blue[:, :2].norm(dim=1)
        aside, along = to_red[:, :2].norm(dim=1), to_red[:, 2].abs()
        reached = (aside < 0.02) & (along < 0.022)
        felt = observations['grasp'][:, 1] > 0.5
        above = -to_blue[:, 2]
        return _State(
            to_red,
            to_blue,
            apart,
            self._turn(observations),
            observations['gripper_position'][:, 0],
            reached,
            felt & (aside < 0.04) & (along < 0.035),
            (apart < 0.025) & (above > 0.02) & (above < 0.052),
        )

    def _times(self, observations: Mapping[str, Tensor]) -> Tensor:
        """How many times `displaced` (B, 1) red is off: a triangle wave, so all are as likely."""
        phase = observations['green_pose'][:, :2].sum(1, keepdim=True) / _DRIFT_PERIOD
        return 1 + self.drift * (4 * (torch.remainder(phase, 1.0) - 0.5).abs() - 1)

    def _turn(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Angle (B,) from where the fingers close to where they should, which the wrist allows."""
        # The most level of red's axes; fingers close along y of the tool.
        axes = body_axes(observations['red_pose'][:, 3:])[:, :2].index_select(2, self.axes)
        most_level = (axes * axes).sum(1).argmax(1)
        wanted = axes.gather(2, most_level[:, None, None].expand(-1, 2, 1))[:, :, 0]
        fingers = body_axes(observations['tool_pose'][:, 3:])[:, :2, 1]
        turn = turn_between_lines(fingers, wanted)
        after = turn - observations['joint_position'][:, 6]  # it turns against the yaw
        return torch.where(after.abs() > _WRIST_RANGE, turn - math.pi * after.sign(), turn)

    def _approach(self, state: '_State') -> Tensor:
        """Over red, and down as far as place, angle and fingers are right."""
        sideways = 3 * (state.to_red[:, :2].norm(dim=1) - 0.008).clamp(min=0)
        turned = 0.1 * (state.turn.abs() - 0.15).clamp(min=0)
        shut = torch.where((state.closed > 0.3) & ~state.reached, _HOVER, 0.0)
        height = state.to_red[:, 2] + (sideways + turned + shut).clamp(max=_HOVER)
        return torch.cat((state.to_red[:, :2], height[:, None]), 1)

    def _carry(self, state: '_State') -> Tensor:
        """Up, over blue once high enough, and down on it."""
        rim = (4 * (state.apart - 0.008).clamp(min=0)).clamp(max=_LIFTED)
        height = state.to_blue[:, 2] + _ON_BLUE + rim
        high = (height < 0.025)[:, None]
        sideways = torch.where(high, state.to_blue[:, :2], 0.0)
        return torch.cat((sideways, height[:, None]), 1)

    def _leave(self, state: '_State') -> Tensor:
        """Up, once the fingers let go."""
        free = (state.closed < 0.45) | (state.to_red[:, 2] < -0.04)
        height = torch.where(free, state.to_red[:, 2] + _RISEN, -_SINKING)
        still = torch.zeros_like(state.to_red[:, :2])
        return torch.cat((still, height[:, None]), 1)


@dataclasses.dataclass(frozen=True)
class _State:
    """What the script goes by; all of length B."""

    to_red: Tensor  # (B, 3) m, from the tool
    to_blue: Tensor  # (B, 3) m, from red
    apart: Tensor  # m, red and blue, horizontally
    turn: Tensor  # rad, to turn before grasping
    closed: Tensor  # gripper, 0 open .. 1 closed
    reached: Tensor  # red is between the fingers
    held: Tensor  # they hold it
    placed: Tensor  # red lies on blue
