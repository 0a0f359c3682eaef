"""Everything that decides the result of a training run, from one file and flags."""

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from chef_trainer.methods.method import Method
from chef_trainer.methods.schedule import Schedule, schedule
from chef_trainer.methods.table import method
from chef_trainer.networks.agent import NetworkSettings
from chef_trainer.spec import CELL_ACTION, ActionSpec, ObservationSpec, build, longest
from chef_trainer.task.observe import STATE_NAMES, observation_specs

PRECISIONS = ('highest', 'high', 'medium')


class SettingsError(ValueError):
    """Settings are malformed: the message names the key, its value and what is allowed."""


@dataclasses.dataclass(frozen=True)
class OnlineSettings:
    """Episodes of the policy being trained, collected in rounds between updates."""

    env: str  # environment, module:attribute
    triplets: tuple[str, ...] = ('3',)
    episodes: int = 10  # per round and triplet
    updates: int = 1000  # from the begin of a round to that of the next


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """One training run."""

    name: str
    method: str
    data: tuple[str, ...] = ()  # episode files, or folders of them
    updates: int = 100_000
    observations: tuple[ObservationSpec, ...] = observation_specs(STATE_NAMES)
    action: ActionSpec = CELL_ACTION
    rate_hz: float = 20.0  # of control
    tasks: tuple[str, ...] = ('stack_leave',)  # rewards; the first one's policy is exported
    triplets: tuple[str, ...] = ('1', '2', '3', '4', '5')  # that the policy is made for
    change: dict[str, Any] = dataclasses.field(default_factory=dict)  # fields of the method
    networks: dict[str, Any] = dataclasses.field(default_factory=dict)  # see NetworkSettings
    teacher: str = ''  # policy file, for methods that ask one
    start: str = ''  # checkpoint to start from (fine-tuning)
    online: OnlineSettings | None = None
    seed: int = 0
    device: str = 'cpu'
    precision: str = 'highest'  # of products; high: TF32, medium: bfloat16 in hidden layers
    compiled: bool = False  # compile the update: a minute at the start, then up to twice as fast
    log_every: int = 100  # updates
    save_every: int = 1000  # updates
    keep_every: int = 0  # updates between policy files kept from the way; 0: none

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for name in ('updates', 'log_every', 'save_every'):
            if getattr(self, name) < 1:
                raise SettingsError(f'{name} = {getattr(self, name)}, must be at least 1')
        if self.precision not in PRECISIONS:
            raise SettingsError(f'precision = {self.precision!r}, allowed: {PRECISIONS}')
        row = self.row
        if row.has_teacher and not self.teacher:
            raise SettingsError(f'{self.method} asks a teacher: teacher = <policy file>')
        if row.is_online and self.online is None:
            raise SettingsError(f'{self.method} learns from its own episodes: online = ...')
        if not self.data and min(row.online_share.values) < 1:
            raise SettingsError(f'{self.method} learns from recorded episodes: data = ...')
        self.seen  # noqa: B018 - refuse wrong networks and observations now

    @property
    def seen(self) -> tuple[ObservationSpec, ...]:
        """What the networks need of the data: the policy's observations and auxiliary states."""
        return longest((*self.observations, *self.network_settings.auxiliary))

    @property
    def row(self) -> Method:
        """The method with its changes."""
        return changed_method(self.method, self.change)

    @property
    def network_settings(self) -> NetworkSettings:
        """The networks' sizes and what they see."""
        given = {n: _field(NetworkSettings, n, value) for n, value in self.networks.items()}
        return build(
            NetworkSettings,
            {
                'observations': self.observations,
                'tasks': self.tasks,
                'action_size': len(self.action.names),
                'discrete': self.action.discrete,
                **given,
            },
            SettingsError,
        )


def changed_method(name: str, change: Mapping[str, Any]) -> Method:
    """Return the row `name` with some fields changed, as YAML has them; raises SettingsError."""
    changes = {field: _field(Method, field, value) for field, value in change.items()}
    return dataclasses.replace(method(name), **changes)


def load_settings(path: Path | None, flags: dict[str, Any]) -> TrainSettings:
    """Read settings from YAML; `flags` (key -> value, or section.key -> value) win.

    Raises:
        SettingsError: the file cannot be read, or a key is unknown or malformed.
    """
    values: Any = {}
    if path is not None:
        try:
            values = yaml.safe_load(path.read_text()) or {}
        except (OSError, yaml.YAMLError) as error:
            raise SettingsError(f'{path}: {error}') from error
        if not isinstance(values, dict):
            raise SettingsError(f'{path}: expected a mapping, got {type(values).__name__}')
    for key, value in flags.items():
        section, dot, name = key.partition('.')
        if dot:
            inner = dict(values.get(section) or {})
            inner[name] = value
            values[section] = inner
        else:
            values[key] = value
    values.setdefault('name', values.get('method', ''))
    return from_dict(values)


def parse_flag(text: str) -> tuple[str, Any]:
    """Split KEY=VALUE, the value in YAML; raises SettingsError."""
    key, equals, value = text.partition('=')
    if not equals:
        raise SettingsError(f'{text!r}: expected KEY=VALUE')
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise SettingsError(f'{text!r}: {error}') from error


def from_dict(values: dict[str, Any]) -> TrainSettings:
    """Build settings from plain lists and dictionaries; raises SettingsError."""
    values = {n: _field(TrainSettings, n, value) for n, value in values.items()}
    return build(TrainSettings, values, SettingsError)


def to_dict(settings: TrainSettings) -> dict[str, Any]:
    """Return what `from_dict` reads."""
    return dataclasses.asdict(settings)


def _field(kind: type, name: str, value: Any) -> Any:
    """Bring `value`, as YAML has it, to the type of a field; unknown names are left to `build`."""
    hints = typing.get_type_hints(kind)
    if name not in hints:
        known = ', '.join(sorted(hints))
        raise SettingsError(f'{kind.__name__}: unknown {name!r}, allowed: {known}')
    if hints[name] == tuple[ObservationSpec, ...]:
        return _observations(value)
    hint = hints[name]
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in options:
        return None
    kind = options[0]
    try:
        return _converted(kind, value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f'{name} = {value!r}: {error}') from error


def _converted(kind: Any, value: Any) -> Any:
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)[0]
        items = [value] if isinstance(value, str | int | float) else value
        return tuple(_converted(inner, item) for item in items)
    if kind is Schedule:
        return schedule(value['points'] if isinstance(value, dict) else value)
    if kind is dict or typing.get_origin(kind) is dict:
        return dict(value)
    if dataclasses.is_dataclass(kind) and isinstance(value, dict):
        assert isinstance(kind, type)
        given = {name: _field(kind, name, one) for name, one in value.items()}
        return build(kind, given, SettingsError)
    if kind is bool and not isinstance(value, bool):
        raise ValueError('expected true or false')
    return kind(value) if isinstance(kind, type) and not isinstance(value, kind) else value


def _observations(value: Sequence[Any] | dict[str, Any]) -> tuple[ObservationSpec, ...]:
    """From names, {names: [...], history: n}, or full specs."""
    if isinstance(value, dict):
        return observation_specs(value['names'], value.get('history', 1))
    specs: list[ObservationSpec] = []
    for one in value:
        if isinstance(one, dict):
            one = build(ObservationSpec, {**one, 'shape': tuple(one.get('shape', ()))})
        specs += [one] if isinstance(one, ObservationSpec) else observation_specs([one])
    return tuple(specs)
