"""Basler cameras (GigE, USB) through pylon."""

import functools
import time
from typing import Any

from pypylon import genicam, pylon

from chef_cell.core.camera_settings import CameraDevice
from chef_cell.drivers.cameras import basler_features as features
from chef_cell.drivers.cameras.source import CameraError, DamagedImageError, Frame

#: Without an image for this long (s), or three periods, the camera is opened anew.
_SILENCE = 1.0
#: Formats by preference: a byte a pixel, and the colours are made here.
_FORMATS = ('BayerRG8', 'BayerGR8', 'BayerGB8', 'BayerBG8', 'RGB8', 'RGB8Packed', 'Mono8')


class BaslerCamera:
    """One camera, known by the serial number on its plate."""

    def __init__(self, device: CameraDevice) -> None:
        self._device = device
        self._timeout_ms = round(1e3 * max(_SILENCE, 3.0 / device.rate))
        self._camera: Any = None
        self._tick = 0.0
        self._converter = pylon.ImageFormatConverter()
        self._converter.OutputPixelFormat = pylon.PixelType_RGB8packed

    def open(self) -> str:
        """Open and set the camera.

        Raises:
            CameraError: no such camera, another program has it, or it does not take a value.
        """
        try:
            self._camera = pylon.InstantCamera(self._find())
            self._camera.Open()
            self._set()
            self._camera.StartGrabbing(pylon.GrabStrategy_LatestImageOnly)
            return self._describe()
        except genicam.GenericException as error:
            raise CameraError(f'Basler {self._device.address}: {_first_line(error)}') from error

    def grab(self) -> Frame:
        """Wait for the newest image; raises as `Source.grab`."""
        try:
            if self._camera.IsCameraDeviceRemoved():
                raise CameraError(f'Basler {self._device.address} was unplugged')
            with self._camera.RetrieveResult(
                self._timeout_ms, pylon.TimeoutHandling_Return
            ) as result:
                received = time.time()
                if not result.IsValid():
                    raise CameraError(
                        f'Basler {self._device.address}: no image for {self._timeout_ms} ms'
                    )
                if not result.GrabSucceeded():
                    raise DamagedImageError(result.GetErrorDescription())
                stamp = result.GetTimeStamp() * self._tick
                pixels = self._converter.Convert(result).GetArray()
                return Frame(pixels, received, stamp or None, result.GetBlockID())
        except genicam.GenericException as error:
            raise CameraError(f'Basler {self._device.address}: {_first_line(error)}') from error

    def close(self) -> None:
        """Release the camera, plugged in or not."""
        if self._camera is None:
            return
        camera, self._camera = self._camera, None
        for step in (camera.StopGrabbing, camera.Close, camera.DestroyDevice):
            try:
                step()
            except genicam.GenericException:
                continue  # it is gone: nothing left to stop

    def _find(self) -> Any:
        factory = pylon.TlFactory.GetInstance()
        wanted = pylon.DeviceInfo()
        wanted.SetSerialNumber(self._device.address)
        seen = factory.EnumerateDevices([wanted])
        if not seen:
            others = [device.GetSerialNumber() for device in factory.EnumerateDevices()]
            raise CameraError(
                f'no Basler camera with serial number {self._device.address}; '
                f'pylon sees {", ".join(others) or "none"}'
            )
        return factory.CreateDevice(seen[0])

    def _set(self) -> None:
        """Give the camera its settings, and take everything from its automatic functions."""
        device, put = self._device, functools.partial(features.put, self._camera)
        for automatic in ('ExposureAuto', 'GainAuto', 'BalanceWhiteAuto'):
            features.put_if_there(self._camera, automatic, 'Off')
        features.put_if_there(self._camera, 'TriggerMode', 'Off')
        put(('PixelFormat',), device.format or features.first_of(self._camera, _FORMATS))
        features.put_region(self._camera, device.binning, device.size, device.offset)
        if device.exposure is not None:
            put(('ExposureTime', 'ExposureTimeAbs'), 1e6 * device.exposure)
        if device.gain is not None:
            put(('Gain', 'GainRaw'), device.gain)
        if device.white_balance:
            features.put_white_balance(self._camera, device.white_balance)
        if device.packet_size:
            put(('GevSCPSPacketSize',), device.packet_size)
        if device.packet_delay:
            put(('GevSCPD',), device.packet_delay)
        put(('AcquisitionFrameRateEnable',), True)
        put(('AcquisitionFrameRate', 'AcquisitionFrameRateAbs'), device.rate)
        # Ticks of a GigE camera; a USB camera counts nanoseconds.
        frequency = features.get(self._camera, ('GevTimestampTickFrequency',), 1e9)
        self._tick = 1.0 / float(frequency)

    def _describe(self) -> str:
        info, get = self._camera.GetDeviceInfo(), functools.partial(features.get, self._camera)
        reachable = get(('ResultingFrameRate', 'ResultingFrameRateAbs'), self._device.rate)
        exposure = get(('ExposureTime', 'ExposureTimeAbs'), 0.0)
        return (
            f'{info.GetModelName()} {info.GetSerialNumber()}: '
            f'{get(("Width",), 0)}x{get(("Height",), 0)} {get(("PixelFormat",), "")} '
            f'at {self._device.rate:g} Hz (at most {float(reachable):.1f}), '
            f'exposure {1e-3 * float(exposure):.3f} ms, gain {get(("Gain", "GainRaw"), 0.0)}'
        )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].partition(' : ')[0]
