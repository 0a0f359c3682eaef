"""What a policy sees and does: the vocabulary shared by cell, episode files and trainer.

Numpy and the standard library only. A `PolicySpec` travels as JSON inside the policy file, so a
policy says by itself what it must be fed, how fast, and what its numbers mean.
"""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

ACTION_NAMES = ('x', 'y', 'z', 'yaw', 'gripper')


class SpecError(ValueError):
    """A spec is malformed, or does not fit what it is compared with."""


@dataclasses.dataclass(frozen=True)
class ObservationSpec:
    """One named input of a policy.

    A single reading has shape `shape`; with `history` > 1 the policy is fed the newest `history`
    readings stacked on a new leading axis, newest first: shape (history, *shape).
    """

    name: str
    shape: tuple[int, ...]
    unit: str
    dtype: str = 'float32'
    history: int = 1

    @property
    def stacked_shape(self) -> tuple[int, ...]:
        """Shape of the policy input, without batch axis."""
        return (self.history, *self.shape) if self.history > 1 else self.shape

    def newest(self, stacked: Any) -> Any:
        """Return what this observation holds of a longer history.

        Args:
            stacked: array or tensor (B, H, *shape) with H >= `history`, or (B, *shape).
        """
        if stacked.ndim == len(self.shape) + 1:
            return stacked
        return stacked[:, : self.history] if self.history > 1 else stacked[:, 0]


@dataclasses.dataclass(frozen=True)
class ActionSpec:
    """A numbers in [-1, 1], called `names`, times `scale`, in `units`.

    By default those of the cell. x, y, z: tool velocity in the arm's base frame; yaw: rotation
    about the base frame's vertical; gripper: closing speed as a share of full speed, positive
    closes.
    """

    scale: tuple[float, ...] = (0.07, 0.07, 0.07, 1.0, 1.0)
    units: tuple[str, ...] = ('m/s', 'm/s', 'm/s', 'rad/s', '1')
    frame: str = 'base'
    names: tuple[str, ...] = ACTION_NAMES
    discrete: bool = True  # whether the last number is -1 or 1 (the gripper)

    def validate(self) -> None:
        """Raise SpecError unless every number has a name, a scale and a unit."""
        names = self.names
        for field, values in (('scale', self.scale), ('units', self.units)):
            if len(values) != len(names):
                raise SpecError(
                    f'action {field} has {len(values)} numbers, needs {len(names)}: {names}'
                )
        if len(names) <= self.discrete:
            raise SpecError(f'action names {names}: needs one that is not discrete')


CELL_ACTION = ActionSpec()


def longest(observations: Iterable[ObservationSpec]) -> tuple[ObservationSpec, ...]:
    """Return one spec for each name, with the longest history: it serves all of them.

    Raises:
        SpecError: two of a name differ in more than history.
    """
    found: dict[str, ObservationSpec] = {}
    for one in observations:
        known = found.setdefault(one.name, one)
        if dataclasses.replace(one, history=known.history) != known:
            raise SpecError(f'{one.name} is asked for as {known} and as {one}')
        if one.history > known.history:
            found[one.name] = one
    return tuple(found.values())


@dataclasses.dataclass(frozen=True)
class PolicySpec:
    """Everything a cell must know to run a policy, and where the policy came from."""

    name: str
    observations: tuple[ObservationSpec, ...]
    action: ActionSpec = CELL_ACTION
    rate_hz: float = 20.0
    tasks: tuple[str, ...] = ('stack_leave',)
    triplets: tuple[str, ...] = ('1', '2', '3', '4', '5')
    provenance: dict[str, Any] = dataclasses.field(default_factory=dict)
    version: int = 1

    def to_json(self) -> str:
        """Return the JSON text stored in a policy file."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> 'PolicySpec':
        """Parse and validate; raises SpecError naming the field, its value and what is allowed."""
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise SpecError(f'spec is not JSON: {error}') from error
        if not isinstance(fields, dict):
            raise SpecError(f'spec is a JSON {type(fields).__name__}, expected an object')
        if fields.get('version') != 1:
            raise SpecError(f'spec version {fields.get("version")!r}, this software reads 1')
        observations = tuple(
            build(ObservationSpec, {**item, 'shape': tuple(item.get('shape', ()))})
            for item in fields.pop('observations', ())
        )
        action = fields.pop('action', {})
        action = build(ActionSpec, {key: _tuple(value) for key, value in action.items()})
        spec = build(
            cls,
            {
                **{key: _tuple(value) for key, value in fields.items()},
                'observations': observations,
                'action': action,
            },
        )
        spec.validate()
        return spec

    def validate(self) -> None:
        """Raise SpecError unless every field is usable."""
        if not self.observations:
            raise SpecError(f'policy {self.name!r} has no observations')
        names = [observation.name for observation in self.observations]
        if len(set(names)) != len(names):
            raise SpecError(f'observation names repeat: {names}')
        for observation in self.observations:
            if observation.history < 1:
                raise SpecError(
                    f'{observation.name}: history {observation.history}, must be at least 1'
                )
            if observation.dtype not in ('float32', 'uint8'):
                raise SpecError(
                    f'{observation.name}: dtype {observation.dtype!r}, allowed: float32, uint8'
                )
        self.action.validate()
        if not self.rate_hz > 0:
            raise SpecError(f'rate_hz {self.rate_hz}, must be positive')


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def build(kind: type, fields: dict[str, Any], error_type: type[ValueError] = SpecError) -> Any:
    """Return a dataclass filled from a mapping.

    Raises:
        error_type: naming unknown keys and those that are allowed, or those that are missing.
    """
    allowed = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(fields) - allowed)
    if unknown:
        raise error_type(f'{kind.__name__}: unknown {unknown}, allowed: {sorted(allowed)}')
    try:
        return kind(**fields)
    except TypeError as error:
        raise error_type(f'{kind.__name__}: {error}') from error
