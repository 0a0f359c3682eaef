"""Rendering beside a running cell, so that images never hold up the joint loop."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import mujoco
import numpy as np

from chef_cell.sim.cell import SimCell
from chef_cell.sim.render import Renderer


class BackgroundRenderer:
    """Renders copies of a cell's state in a thread of its own, with its own OpenGL context.

    Args:
        cell: whose state to render.
        cameras: names of the cameras.
        size: width and height of the images (pixels).
        deliver: called in the rendering thread with camera, pixels (size, size, 3) and the stamp
            given to `offer`.

    Raises:
        RenderError: no library to render with, or no such camera.
    """

    def __init__(
        self,
        cell: SimCell,
        cameras: tuple[str, ...],
        size: int,
        deliver: Callable[[str, np.ndarray, int], None],
    ) -> None:
        self.dropped = 0
        self._cell = cell
        self._cameras = cameras
        self._size = size
        self._deliver = deliver
        self._model = cell.model
        self._data = mujoco.MjData(cell.model)
        self._renderer = Renderer(cell.model, cell.settings)
        self._pool = ThreadPoolExecutor(1, 'render')
        # Fail now, not at the first image.
        self._pending: Future[None] = self._pool.submit(self._render, None)
        self._pending.result()

    def prepare(self) -> None:
        """Make the OpenGL context of a new scene now: it stops all threads for 50 ms."""
        self._pending.result()
        self._copy()
        self._pool.submit(self._render, None).result()

    def offer(self, stamp_ns: int) -> bool:
        """Render the present state unless the last one is still being rendered.

        Raises whatever went wrong with the last one.
        """
        if not self._pending.done():
            self.dropped += 1
            return False
        self._pending.result()
        self._copy()
        self._pending = self._pool.submit(self._render, stamp_ns)
        return True

    def close(self) -> None:
        """Finish the images in the making, and free the context in the thread that owns it."""
        self._pool.submit(self._renderer.close).result()
        self._pool.shutdown()

    def _copy(self) -> None:
        model = self._cell.model
        if self._model is not model:
            self._pool.submit(self._renderer.close).result()
            self._model, self._data = model, mujoco.MjData(model)
            self._renderer = Renderer(model, self._cell.settings)
        mujoco.mj_copyData(self._data, model, self._cell.data)

    def _render(self, stamp_ns: int | None) -> None:
        for camera in self._cameras:
            pixels = self._renderer.render(self._data, camera, self._size, self._size)
            if stamp_ns is not None:
                self._deliver(camera, pixels, stamp_ns)
