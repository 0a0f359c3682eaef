"""Features of Basler cameras, which older and newer families name differently.

Names: GenICam SFNC 2 (USB, newer GigE) and what came before (ace GigE: ...Abs, ...Raw).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pypylon import genicam

from chef_cell.drivers.cameras.source import CameraError


def put(camera: Any, names: Sequence[str], value: Any) -> None:
    """Set the first of these features that the camera has.

    Raises:
        CameraError: it has none of them, or the value is not allowed; names what is.
    """
    for name in names:
        feature = _feature(camera, name)
        if not feature.IsWritable():
            continue
        whole = isinstance(feature, genicam.IInteger)
        try:
            feature.SetValue(round(value) if whole else value)
        except genicam.GenericException as error:
            raise CameraError(f'{name} {value}, allowed: {_allowed(feature)}') from error
        return
    raise CameraError(f'the camera has no {" or ".join(names)} that can be set')


def put_if_there(camera: Any, name: str, value: str) -> None:
    """Set a feature that not every camera has."""
    if _feature(camera, name).IsWritable():
        put(camera, (name,), value)


def get(camera: Any, names: Sequence[str], default: Any) -> Any:
    """Return the first of these features that the camera has, or the default."""
    for name in names:
        feature = _feature(camera, name)
        if feature.IsReadable():
            return feature.GetValue()
    return default


def first_of(camera: Any, formats: Iterable[str]) -> str:
    """Return the first of these pixel formats that the camera knows; raises CameraError."""
    known = _feature(camera, 'PixelFormat').GetSymbolics()
    for name in formats:
        if name in known:
            return name
    raise CameraError(f'pixel formats {", ".join(known)}: none that is understood here')


def put_region(camera: Any, binning: int, size: Sequence[int], offset: Sequence[int]) -> None:
    """Set what part of the sensor is read; raises CameraError when it does not fit.

    Args:
        camera: an open camera.
        binning: pixels summed in both directions.
        size: width, height after binning; empty: all.
        offset: left, upper edge after binning; empty: in the middle.
    """
    for axis in ('BinningHorizontal', 'BinningVertical'):
        if binning > 1 or get(camera, (axis,), 1) > 1:
            put(camera, (axis,), binning)
    for index, (edge, extent) in enumerate((('OffsetX', 'Width'), ('OffsetY', 'Height'))):
        put(camera, (edge,), 0)  # first, because it bounds the size
        put(camera, (extent,), size[index] if size else _feature(camera, extent).GetMax())
        start = _feature(camera, edge)
        middle = start.GetMax() // 2 // start.GetInc() * start.GetInc()
        put(camera, (edge,), offset[index] if offset else middle)


def put_white_balance(camera: Any, ratios: Sequence[float]) -> None:
    """Set the ratios of red, green and blue; raises CameraError."""
    for colour, ratio in zip(('Red', 'Green', 'Blue'), ratios, strict=True):
        put(camera, ('BalanceRatioSelector',), colour)
        put(camera, ('BalanceRatio', 'BalanceRatioAbs'), ratio)


def _feature(camera: Any, name: str) -> Any:
    """Return a feature; one that the camera lacks can be neither read nor written."""
    return camera.GetNodeMap().GetNode(name)


def _allowed(feature: Any) -> str:
    if isinstance(feature, genicam.IEnumeration):
        return ', '.join(feature.GetSymbolics())
    step = f' in steps of {feature.GetInc()}' if isinstance(feature, genicam.IInteger) else ''
    return f'{feature.GetMin():g} to {feature.GetMax():g}{step}'
