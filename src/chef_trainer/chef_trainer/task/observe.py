"""From sensor readings to the arrays a policy is fed: one `Observer` for training and cell."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from chef_trainer.spec import ObservationSpec
from chef_trainer.task.kinematics import Kinematics
from chef_trainer.task.readings import (
    COLOURS,
    ArmReading,
    Grasp,
    GripperReading,
    ImageReading,
    ObjectReading,
    WrenchReading,
)

IMAGE_PREFIX = 'image/'
IMAGE_SHAPE = (128, 128, 3)
TRIPLETS = ('1', '2', '3', '4', '5')
GRIPPER_COUNTS = 255.0

_GRASP = dict(zip(Grasp, np.eye(3), strict=True))
_TRIPLET = dict(zip(TRIPLETS, np.eye(len(TRIPLETS)), strict=True))


class ObservationError(ValueError):
    """An observation is unknown, missing, of the wrong shape, invalid or not finite."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """Everything known at one instant; a reading that no policy input needs may be None."""

    kinematics: Kinematics
    triplet: np.ndarray
    previous_action: np.ndarray
    arm: ArmReading
    gripper: GripperReading
    wrench: WrenchReading
    objects: ObjectReading


@dataclasses.dataclass(frozen=True)
class Kind:
    """One named observation: its contract, the readings it is built from, and how."""

    shape: tuple[int, ...]
    unit: str
    readings: tuple[str, ...]
    build: Callable[[Frame], np.ndarray]


def _object_pose(colour: str) -> Callable[[Frame], np.ndarray]:
    def build(frame: Frame) -> np.ndarray:
        if not frame.objects.valid.get(colour, False):
            raise ObservationError(f'{colour}_pose: object {colour} is not seen (valid is false)')
        return frame.objects.poses[colour]

    return build


KINDS: dict[str, Kind] = {
    'joint_position': Kind((7,), 'rad', ('arm',), lambda frame: frame.arm.position),
    'joint_velocity': Kind((7,), 'rad/s', ('arm',), lambda frame: frame.arm.velocity),
    'joint_torque': Kind((7,), 'N m', ('arm',), lambda frame: frame.arm.torque),
    'gripper_position': Kind(
        (1,),
        '1',
        ('gripper',),
        lambda frame: np.array((round(frame.gripper.position) / GRIPPER_COUNTS,)),
    ),
    'grasp': Kind((3,), '1', ('gripper',), lambda frame: _GRASP[frame.gripper.grasp]),
    'tool_pose': Kind(
        (7,),
        'm, quaternion',
        ('arm',),
        lambda frame: frame.kinematics.tool_pose(frame.arm.position),
    ),
    'wrist_pose': Kind(
        (7,),
        'm, quaternion',
        ('arm',),
        lambda frame: frame.kinematics.wrist_pose(frame.arm.position),
    ),
    'wrist_twist': Kind(
        (6,),
        'm/s, rad/s',
        ('arm',),
        lambda frame: frame.kinematics.wrist_jacobian(frame.arm.position) @ frame.arm.velocity,
    ),
    'wrench': Kind(
        (6,),
        'N, N m',
        ('wrench',),
        lambda frame: np.concatenate((frame.wrench.force, frame.wrench.torque)),
    ),
    **{
        f'{colour}_pose': Kind((7,), 'm, quaternion', ('objects',), _object_pose(colour))
        for colour in COLOURS
    },
    'previous_action': Kind((5,), '1', (), lambda frame: frame.previous_action),
    'triplet': Kind((len(TRIPLETS),), '1', (), lambda frame: frame.triplet),
}


#: What a policy for objects of known pose sees; images are asked for by name.
STATE_NAMES = (
    'joint_position', 'joint_velocity', 'gripper_position', 'grasp', 'tool_pose', 'wrench',
    'red_pose', 'green_pose', 'blue_pose', 'previous_action', 'triplet',
)  # fmt: skip


def observation_specs(names: Iterable[str], history: int = 1) -> tuple[ObservationSpec, ...]:
    """Return the specs of observations by name, all with the same history.

    Raises:
        ObservationError: an observation the cell does not know.
    """
    return tuple(_spec(name, history) for name in names)


def _spec(name: str, history: int) -> ObservationSpec:
    if name.startswith(IMAGE_PREFIX):
        return ObservationSpec(name, IMAGE_SHAPE, '1', 'uint8', history)
    if name not in KINDS:
        raise _unknown(name)
    return ObservationSpec(name, KINDS[name].shape, KINDS[name].unit, history=history)


def needed_readings(specs: tuple[ObservationSpec, ...]) -> frozenset[str]:
    """Return what `specs` are built from: arm, gripper, wrench, objects, image/<camera>.

    Raises:
        ObservationError: an observation the cell does not know.
    """
    needed: set[str] = set()
    for spec in specs:
        if spec.name.startswith(IMAGE_PREFIX):
            needed.add(spec.name)
        elif spec.name in KINDS:
            needed.update(KINDS[spec.name].readings)
        else:
            raise _unknown(spec.name)
    return frozenset(needed)


def _unknown(name: str) -> ObservationError:
    return ObservationError(
        f'{name}: unknown observation, known: {sorted(KINDS)} and {IMAGE_PREFIX}<camera>'
    )


def check_specs(specs: tuple[ObservationSpec, ...]) -> None:
    """Raise ObservationError unless the cell offers each of `specs` exactly as written."""
    needed_readings(specs)
    for spec in specs:
        image = spec.name.startswith(IMAGE_PREFIX)
        shape = IMAGE_SHAPE if image else KINDS[spec.name].shape
        unit = '1' if image else KINDS[spec.name].unit
        offered = (shape, unit, 'uint8' if image else 'float32')
        wanted = (spec.shape, spec.unit, spec.dtype)
        if wanted != offered:
            raise ObservationError(
                f'{spec.name}: the policy wants (shape, unit, dtype) {wanted}, '
                f'the cell offers {offered}'
            )


class Observer:
    """Builds the observations of `specs`, with history, from readings of one instant.

    Args:
        specs: the observations wanted, as in the policy file.
        kinematics: forward kinematics of the arm.
        triplet: '1' .. '5'; any other name of a triplet is observed as zeros.

    Raises:
        ObservationError: an observation is unknown, or its shape, unit or dtype is not ours.
    """

    def __init__(
        self, specs: tuple[ObservationSpec, ...], kinematics: Kinematics, triplet: str
    ) -> None:
        check_specs(specs)
        self.specs = specs
        self._kinematics = kinematics
        self._states = tuple(spec for spec in specs if not spec.name.startswith(IMAGE_PREFIX))
        self._images = tuple(spec for spec in specs if spec.name.startswith(IMAGE_PREFIX))
        self._needed = tuple(sorted(needed_readings(self._states)))
        # The states of one instant lie in one flat array, so that one pass converts and checks.
        ends = np.cumsum([0, *(KINDS[spec.name].shape[0] for spec in self._states)]).tolist()
        self._blocks = tuple(map(slice, ends[:-1], ends[1:]))
        self.reset(triplet)

    def reset(self, triplet: str | None = None) -> None:
        """Forget the history; the next frame fills it. A new `triplet` replaces the old one."""
        if triplet is not None:
            self._triplet = _TRIPLET.get(triplet, np.zeros(len(TRIPLETS)))
        self._history: dict[str, np.ndarray] = {}

    def observe(
        self,
        arm: ArmReading | None,
        gripper: GripperReading | None,
        wrench: WrenchReading | None,
        objects: ObjectReading | None,
        images: Mapping[str, ImageReading],
        previous_action: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Add one frame and return name -> array (float32 states, uint8 images), newest first.

        Readings that no observation needs may be None. `images` maps camera names to images;
        `previous_action` (5,) is the one executed last, see `act.clip_action`. The arrays are the
        caller's to keep; those with history are not to be changed.

        Raises:
            ObservationError: a needed reading is missing, has the wrong shape, is marked invalid
                or is not finite; the history is then unchanged.
        """
        readings = {'arm': arm, 'gripper': gripper, 'wrench': wrench, 'objects': objects}
        for name in self._needed:
            if readings[name] is None:
                users = [s.name for s in self._states if name in KINDS[s.name].readings]
                raise ObservationError(f'{name}: no reading, but {users} are built from it')
        frame = Frame(self._kinematics, self._triplet, previous_action, **readings)  # type: ignore[arg-type]
        values = self._state_values(frame)
        values += [_checked_pixels(spec, images).copy() for spec in self._images]
        return {
            spec.name: value if spec.history == 1 else self._stacked(spec, value)
            for spec, value in zip((*self._states, *self._images), values, strict=True)
        }

    def _state_values(self, frame: Frame) -> list[np.ndarray]:
        """Return this frame's states as float32."""
        if not self._states:
            return []
        values = [KINDS[spec.name].build(frame) for spec in self._states]
        for spec, value in zip(self._states, values, strict=True):
            if value.shape != spec.shape:
                raise ObservationError(
                    f'{spec.name}: shape {value.shape}, expected {spec.shape} {spec.unit}'
                )
        with np.errstate(over='ignore'):  # what 32 bits cannot hold is infinite, and refused below
            flat = np.concatenate(values, dtype=np.float32, casting='same_kind')
        states = [flat[block] for block in self._blocks]
        if not np.isfinite(flat).all():
            self._name_not_finite(states)
        return states

    def _name_not_finite(self, states: list[np.ndarray]) -> None:
        for spec, state in zip(self._states, states, strict=True):
            if not np.isfinite(state).all():
                raise ObservationError(
                    f'{spec.name}: {state.tolist()} is not finite, expected finite {spec.unit}'
                )

    def _stacked(self, spec: ObservationSpec, value: np.ndarray) -> np.ndarray:
        """Return `value` before its history; the first frame of an episode fills it."""
        older = self._history.get(spec.name)
        if older is None:
            stack = np.repeat(value[None], spec.history, axis=0)
        else:
            stack = np.concatenate((value[None], older[:-1]))
        self._history[spec.name] = stack
        return stack


def _checked_pixels(spec: ObservationSpec, images: Mapping[str, ImageReading]) -> np.ndarray:
    camera = spec.name.removeprefix(IMAGE_PREFIX)
    if camera not in images:
        raise ObservationError(f'{spec.name}: no image of {camera}, got {sorted(images)}')
    pixels = images[camera].pixels
    if pixels.shape != spec.shape or pixels.dtype != np.uint8:
        raise ObservationError(
            f'{spec.name}: {pixels.dtype} {pixels.shape}, expected uint8 {spec.shape}'
        )
    return pixels
