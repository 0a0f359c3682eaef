"""Which device is behind each camera, and how it is set: one line of text a camera."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

#: Kind of source -> options that it understands.
KINDS: Mapping[str, tuple[str, ...]] = {
    'basler': (
        'rate', 'exposure', 'gain', 'white_balance', 'format', 'binning', 'size', 'offset',
        'packet_size', 'packet_delay',
    ),
    'v4l2': ('rate', 'exposure', 'gain', 'white_balance', 'format', 'size'),
    'file': ('rate',),
    'topic': (),
}  # fmt: skip


class CameraSettingsError(ValueError):
    """A line that describes a camera can't be understood."""


@dataclasses.dataclass(frozen=True)
class CameraDevice:
    """One camera: `NAME KIND:ADDRESS [OPTION=VALUE ...]`.

    What is not given stays as the device has it; nothing is left to a device's automatic
    functions, because a policy must see tomorrow what it saw in training.

    Raises:
        CameraSettingsError: a value is out of range, or the kind does not have the option.
    """

    name: str  # of the camera in the cell
    kind: str  # of KINDS
    address: str  # serial number, device file, video file or pattern of images, topic
    rate: float = 20.0  # Hz; by default an image for each action of the policy
    exposure: float | None = None  # s
    gain: float | None = None  # dB where the device counts in dB, else its own units
    white_balance: tuple[float, ...] = ()  # basler: ratios of R, G, B; v4l2: colour temperature, K
    format: str = ''  # pixel format as the device names it; empty: what needs least bandwidth
    binning: int = 1  # sensor pixels summed in both directions
    size: tuple[int, ...] = ()  # width, height, pixels after binning; empty: the whole sensor
    offset: tuple[int, ...] = ()  # left, upper edge, pixels; empty: in the middle
    packet_size: int = 0  # bytes; 0: as the device has it
    packet_delay: int = 0  # ticks of the device between packets

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not (self.name and self.address):
            raise CameraSettingsError(
                f'{self.name} {self.kind}:{self.address}, expected NAME KIND:ADDRESS with a kind '
                f'of {", ".join(KINDS)}'
            )
        for field in dataclasses.fields(self)[3:]:
            allowed = KINDS[self.kind]
            if field.name not in allowed and getattr(self, field.name) != field.default:
                raise CameraSettingsError(
                    f'{self.name}: {self.kind} has no option {field.name!r}, '
                    f'allowed: {", ".join(allowed) or "none"}'
                )
        self._check('rate', 0.01 <= self.rate <= 1000.0, '0.01 to 1000 Hz')
        self._check('exposure', self.exposure is None or 0.0 < self.exposure <= 10.0, '0 to 10 s')
        wanted = {'basler': 3, 'v4l2': 1}.get(self.kind, 0)
        self._check(
            'white_balance',
            len(self.white_balance) in (0, wanted) and all(v > 0.0 for v in self.white_balance),
            {3: 'three positive ratios R,G,B', 1: 'one temperature in K'}.get(wanted, ''),
        )
        self._check('binning', 1 <= self.binning <= 4, '1 to 4')
        self._check('size', all(self.size), 'WIDTHxHEIGHT in pixels')
        self._check('packet_size', not self.packet_size or self.packet_size >= 220, '220 or more')
        self._check('packet_delay', self.packet_delay >= 0, '0 or more')

    def _check(self, option: str, holds: bool, allowed: str) -> None:
        if not holds:
            value = getattr(self, option)
            raise CameraSettingsError(f'{self.name}: {option} {value}, allowed: {allowed}')


def parse_device(line: str) -> CameraDevice:
    """Read one line; raises CameraSettingsError saying what is allowed."""
    name, source, *options = *line.split(), '', ''
    kind, _, address = source.partition(':')
    values: dict[str, Any] = {}
    for option in filter(None, options):
        key, _, text = option.partition('=')
        if key not in _READERS:
            raise CameraSettingsError(
                f'{line!r}: option {key!r}, allowed: {", ".join(KINDS.get(kind, _READERS))}'
            )
        try:
            values[key] = _READERS[key](text)
        except ValueError as error:
            raise CameraSettingsError(f'{line!r}: {key}={text!r} is malformed') from error
    return CameraDevice(name, kind, address, **values)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _pair(text: str) -> tuple[int, ...]:
    first, second = (int(part) for part in text.split('x'))
    if min(first, second) < 0:
        raise ValueError(text)
    return first, second


_READERS: Mapping[str, Callable[[str], Any]] = {
    'rate': _finite,
    'exposure': _finite,
    'gain': _finite,
    'white_balance': lambda text: tuple(_finite(part) for part in text.split(',')),
    'format': str,
    'binning': int,
    'size': _pair,
    'offset': _pair,
    'packet_size': int,
    'packet_delay': int,
}
