"""The one list of nodes: launch files and the `chef` command start the cell from it."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from chef_cell.core.command import GateSettings
from chef_cell.core.reset.settings import RESETS
from chef_cell.core.safety_causes import SafetySettings
from chef_cell.core.settings import SettingsError, from_dict
from chef_cell.core.teleop import DEVICES
from chef_cell.core.velocity import ControllerSettings
from chef_cell.core.wrench import WrenchSettings

#: Cell -> the nodes between its devices and the rest: all in which cells differ. Each device of
#: a real cell has a driver node of its own; the bridge stands for all simulated ones.
DRIVERS = {
    'sim': ('mujoco_bridge',),
    'real': ('intera_driver', 'ft300_driver', 'robotiq_driver', 'camera_driver', 'tracker'),
    'gazebo': ('camera_driver',),  # the rest comes over ros_gz_bridge, or from the world itself
}
#: Drivers that a cell without cameras does without.
_SEEING = ('camera_driver', 'tracker')
CELLS = tuple(DRIVERS)
CAMERAS = ('basket_front_left', 'basket_front_right', 'basket_back_left')
NAMESPACE = '/cell'
#: Node -> settings that say what stops the arm; they are written into every episode file.
LIMITS: dict[str, tuple[type, ...]] = {
    'safety': (SafetySettings,),
    'controller': (GateSettings, ControllerSettings),
    'wrist': (WrenchSettings,),
}
#: Nodes whose settings say what their sensors read; they are written there, too.
CALIBRATED = ('wrist', 'ft300_driver', 'robotiq_driver', 'camera', 'camera_driver', 'tracker')
#: Nodes that only some cells have; the files may always speak of them.
_OPTIONAL = ('camera', 'camera_driver', 'policy', 'teleop', 'reset', 'tracker')


class GraphError(ValueError):
    """A cell cannot be put together as asked."""


@dataclasses.dataclass(frozen=True)
class NodeSpec:
    """One node of the cell."""

    name: str
    parameters: dict[str, Any]  # in force: files first, then overrides
    lifecycle: bool = False  # a managed node; it configures and activates itself
    namespace: str = NAMESPACE
    package: str = 'chef_cell'
    reads_keys: bool = False  # whoever starts it forwards what is typed to its input

    @property
    def executable(self) -> str:
        """Console script of the node, as `ros2 run` knows it."""
        return f'{self.name}_node'

    @property
    def module(self) -> str:
        """Python module of the node."""
        return f'{self.package}.nodes.{self.name}'

    @property
    def full_name(self) -> str:
        """Name and namespace."""
        return f'{self.namespace}/{self.name}'

    @property
    def enclave(self) -> str:
        """Security enclave: what the node may say and hear where SROS2 is on."""
        return self.full_name


@dataclasses.dataclass(frozen=True)
class CellSettings:
    """What a cell is started with."""

    cell: str = 'sim'
    lockstep: bool = True
    cameras: tuple[str, ...] = ()
    directory: str = 'sessions'  # where sessions are written
    namespace: str = NAMESPACE
    view: int | None = None  # port on which a browser finds the cameras; 0: any; None: no view
    reset: str = ''  # scene or scripted; empty: scripted where nothing else can be
    tracker: bool = False  # simulated objects are seen by the cameras, too, as real ones are
    teleop: str = ''  # device with which a person takes the policy's place; empty: the policy

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise GraphError(f'unknown cell {self.cell!r}, allowed: {", ".join(CELLS)}')
        if self.cell != 'sim' and self.lockstep:
            raise GraphError(f'cell:={self.cell} runs on the clock on the wall: lockstep:=false')
        if self.reset not in ('', *RESETS):
            raise GraphError(f'unknown reset {self.reset!r}, allowed: {", ".join(RESETS)}')
        if self.cell != 'sim' and self.reset == 'scene':
            raise GraphError(f'cell:={self.cell} has nobody to make a scene: reset:=scripted')
        if self.teleop not in ('', *DEVICES):
            raise GraphError(f'unknown device {self.teleop!r}, allowed: {", ".join(DEVICES)}')
        unknown = sorted(set(self.cameras) - set(CAMERAS))
        if unknown:
            raise GraphError(f'unknown cameras {unknown}, allowed: {", ".join(CAMERAS)}')
        if self.tracker and not self.cameras:
            raise GraphError('a tracker without cameras sees nothing: name some, such as all')

    @property
    def scripted(self) -> bool:
        """Whether the arm itself rearranges the objects between episodes."""
        return self.reset == 'scripted' or (self.cell != 'sim' and not self.reset)


def nodes(
    settings: CellSettings,
    config: Path,
    session: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[NodeSpec, ...]:
    """Return the nodes of a cell in the order in which they start.

    Args:
        settings: what the cell is started with.
        config: folder with cell.yaml, sim.yaml and real.yaml.
        session: parameters of the session to run at once, then end; None: wait for the action
            run_session.
        overrides: node -> parameter -> value; these win over the files.

    Raises:
        GraphError: a file is malformed, names a node that this cell does not have, or sets a
            limit that cannot be.
    """
    # Never both: two commanders are a fault.
    commander = 'teleop' if settings.teleop else 'policy'
    cameras = ('camera',) if settings.cameras else ()
    viewer = () if settings.view is None else ('viewer',)
    drivers = _drivers(settings)
    names = ['safety', *drivers, *cameras, 'wrist', 'controller', commander]
    names += ['recorder', *(('reset',) if settings.scripted else ()), *viewer, 'session']
    files = _read([config / 'cell.yaml', config / f'{settings.cell}.yaml'], {*names, *_OPTIONAL})
    own = _own(settings, names, session)
    asked = {**(overrides or {})}
    if unknown := sorted(set(asked) - set(names)):
        raise GraphError(f'parameters for {unknown}, but this cell has {names}')
    parameters = {
        name: {
            **files.get(name, {}),
            'lockstep': settings.lockstep,
            **({'use_sim_time': True} if settings.cell == 'gazebo' else {}),
            'peers': [peer for peer in names if peer != name],
            **own.get(name, {}),
            **asked.get(name, {}),
        }
        for name in names
    }
    if 'tracker' in names:
        known = parameters.get('camera_driver', {'calibration': 'simulated'})
        parameters['tracker'].setdefault('calibration', known.get('calibration', ''))
    recorder = parameters['recorder']
    recorder.setdefault('limits', json.dumps(limits(parameters)))
    recorder.setdefault('calibration', json.dumps(calibration(parameters)))
    managed = {'camera', 'policy', 'recorder', 'reset', 'session', 'teleop'}
    return tuple(
        NodeSpec(
            name,
            parameters[name],
            name in managed,
            namespace=settings.namespace,
            reads_keys=name == 'teleop' and settings.teleop == 'keyboard',
        )
        for name in names
    )


def sawyer(config: Path, host: str, port: int, namespace: str = NAMESPACE) -> tuple[NodeSpec, ...]:
    """Return the nodes of a simulated Sawyer that programs written for one may drive.

    Nobody of ours commands it: two commanders are a fault.

    Args:
        config: folder with sim.yaml.
        host: name or address under which ROS 1 programs reach this machine.
        port: of the ROS 1 master.
        namespace: of all nodes.

    Raises:
        GraphError: a file is malformed.
    """
    names = (*DRIVERS['sim'], 'position_kinematics', 'intera_server')
    files = _read([config / 'sim.yaml'], {*names, *_OPTIONAL, *LIMITS})
    own = {'intera_server': {'host': host, 'port': port}}
    return tuple(
        NodeSpec(
            name,
            {**files.get(name, {}), 'lockstep': False, **own.get(name, {})},
            namespace=namespace,
        )
        for name in names
    )


def limits(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the limits in force, those that nobody set included, by node.

    Raises:
        GraphError: one is of the wrong type or out of range.
    """
    found: dict[str, dict[str, Any]] = {}
    for node, kinds in LIMITS.items():
        found[node] = {}
        for kind in kinds:
            names = {field.name for field in dataclasses.fields(kind)} & set(parameters[node])
            try:
                settings: Any = from_dict(kind, {name: parameters[node][name] for name in names})
            except SettingsError as error:
                raise GraphError(f'{node}: {error}') from error
            found[node] |= dataclasses.asdict(settings)
    return found


def calibration(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the calibration in force, by node; raises GraphError as `limits`."""
    graph = ('lockstep', 'peers')  # say nothing about a sensor
    found = {
        node: {name: value for name, value in parameters[node].items() if name not in graph}
        for node in CALIBRATED
        if node in parameters
    }
    return {**found, 'wrist': limits(parameters)['wrist']}


def _drivers(settings: CellSettings) -> list[str]:
    """Return the nodes between the devices and the rest."""
    names = [n for n in DRIVERS[settings.cell] if settings.cameras or n not in _SEEING]
    return names + ['tracker'] * (settings.tracker and 'tracker' not in names)


def _own(
    settings: CellSettings, names: list[str], session: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """Return the parameters that follow from what the cell is started with, by node."""
    cameras = {'cameras': list(settings.cameras)} if settings.cameras else {}
    return {
        'safety': cameras,
        # Two who publish `objects` would contradict each other.
        'mujoco_bridge': {
            **cameras,
            **({'objects_topic': 'sim/objects'} if settings.tracker else {}),
        },
        'tracker': cameras,
        'camera': cameras,
        'camera_driver': cameras,
        'policy': cameras,
        'teleop': {'device': settings.teleop},
        'viewer': {**cameras, 'port': settings.view},
        'recorder': {'directory': settings.directory},
        'session': {
            'directory': settings.directory,
            'required': [name for name in names if name != 'session'],
            'reset': 'scripted' if settings.scripted else 'scene',
            **({'run_on_start': True, **session} if session is not None else {}),
        },
    }


def _read(paths: Iterable[Path], known: set[str]) -> dict[str, dict[str, Any]]:
    """Merge ROS parameter files; later files win."""
    merged: dict[str, dict[str, Any]] = {}
    for path in paths:
        try:
            content = yaml.safe_load(path.read_text())
        except (OSError, yaml.YAMLError) as error:
            raise GraphError(f'{path}: {error}') from error
        for name, section in (content or {}).items():
            if name not in known or list(section or ()) != ['ros__parameters']:
                raise GraphError(
                    f'{path}: section {name!r}, expected ros__parameters of {sorted(known)}'
                )
            merged.setdefault(name, {}).update(section['ros__parameters'])
    return merged


def parameter_file(node: NodeSpec) -> str:
    """Return the parameters of a node as a ROS parameter file for exactly this node."""
    return yaml.safe_dump({node.full_name: {'ros__parameters': node.parameters}})
