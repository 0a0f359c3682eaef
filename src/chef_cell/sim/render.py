"""Images of the scene without a display."""

import ctypes
import ctypes.util
import importlib
import os
import weakref
from typing import Any

import mujoco
import numpy as np

from chef_cell.sim.scene import SimSettings

_LIBRARIES = {'egl': 'EGL', 'osmesa': 'OSMesa'}
_PLATFORM_DEVICE, _DISPLAY_OF_DEVICE = 0x313F, b'eglGetPlatformDisplayEXT'
_HINT = (
    'install one of: libegl1 and libgl1-mesa-dri, or libosmesa6 '
    '(apt install libegl1 libgl1-mesa-dri)'
)


class RenderError(RuntimeError):
    """Images cannot be rendered."""


class Renderer:
    """Renders the cameras of one scene into arrays.

    Raises:
        RenderError: no head-less OpenGL library works; the message names the packages.
    """

    def __init__(self, model: mujoco.MjModel, settings: SimSettings) -> None:
        self._model = model
        self._size = (0, 0)
        self._scene = mujoco.MjvScene(model, maxgeom=1000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = settings.shadows
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = settings.reflections
        self._option = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._gl: Any = None
        self._context: mujoco.MjrContext | None = None

    def render(self, data: mujoco.MjData, camera: str, width: int, height: int) -> np.ndarray:
        """Return what `camera` sees: (height, width, 3), uint8 RGB."""
        index = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_CAMERA, f'basket/{camera}')
        if index < 0:
            index = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
        if index < 0:
            names = [self._model.camera(i).name for i in range(self._model.ncam)]
            raise RenderError(f'camera {camera!r}, the scene has {names}')
        self._prepare(width, height)
        self._gl.make_current()
        self._camera.fixedcamid = index
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._option,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )
        area = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(area, self._scene, self._context)
        pixels = np.empty((height, width, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, area, self._context)
        return np.ascontiguousarray(pixels[::-1])  # OpenGL counts rows from the bottom

    def close(self) -> None:
        """Free the OpenGL context."""
        if self._context is not None:
            self._release()
            self._context = self._gl = None

    def _prepare(self, width: int, height: int) -> None:
        """Make a context whose buffer holds (width, height)."""
        if self._context is not None and width <= self._size[0] and height <= self._size[1]:
            return
        self.close()
        self._size = (max(width, self._size[0]), max(height, self._size[1]))
        self._model.vis.global_.offwidth, self._model.vis.global_.offheight = self._size
        self._gl = _open_gl(*self._size)
        self._gl.make_current()
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        # Also at the end of the process: later, PyOpenGL is half gone and complains.
        self._release = weakref.finalize(self, _free, self._gl, self._context)


def _free(gl: Any, context: mujoco.MjrContext) -> None:
    gl.make_current()
    context.free()
    gl.free()


def _open_gl(width: int, height: int) -> Any:
    """Return a head-less OpenGL context.

    PyOpenGL is bound to one library for the life of the process, so the choice must be right
    before it is imported.
    """
    name = os.environ.get('MUJOCO_GL', '').lower()
    if name not in _LIBRARIES:
        name = 'egl' if _egl_works() else 'osmesa'
    if ctypes.util.find_library(_LIBRARIES[name]) is None:
        raise RenderError(f'lib{_LIBRARIES[name]} not found; {_HINT}')
    try:
        return importlib.import_module(f'mujoco.{name}').GLContext(width, height)
    except Exception as error:  # each library raises its own kinds
        raise RenderError(f'no head-less OpenGL through {name}: {error}; {_HINT}') from error


def _egl_works() -> bool:
    """Whether libEGL is there and opens a device (a graphics card, or Mesa's software)."""
    try:
        egl = ctypes.CDLL(ctypes.util.find_library('EGL') or 'libEGL.so.1')
        egl.eglGetProcAddress.restype = ctypes.c_void_p
        query, display_of = (
            egl.eglGetProcAddress(name) for name in (b'eglQueryDevicesEXT', _DISPLAY_OF_DEVICE)
        )
    except (OSError, AttributeError):
        return False
    if not query or not display_of:
        return False
    devices, count = (ctypes.c_void_p * 16)(), ctypes.c_int()
    find = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(query)
    open_display = ctypes.CFUNCTYPE(
        ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p
    )(display_of)
    if not find(len(devices), devices, ctypes.byref(count)):
        return False
    initialise = egl.eglInitialize
    initialise.argtypes = [ctypes.c_void_p] * 3
    displays = (open_display(_PLATFORM_DEVICE, device, None) for device in devices[: count.value])
    return any(display and initialise(display, None, None) for display in displays)
