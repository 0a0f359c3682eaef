"""Can the simulated cameras see without a display, and how fast?"""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Mapping

from chef_cell.doctor.finding import Finding, Level

_IMAGES = 5
_SIZE = 128  # pixels, as config/sim.yaml has it
_TIMEOUT = 60.0  # s
_REMEDY = 'apt install libegl1 libgl1-mesa-dri; MUJOCO_GL=egl or osmesa chooses the library'


@dataclasses.dataclass(frozen=True)
class RenderReading:
    """What came of rendering the scene."""

    milliseconds: float = 0.0  # per image
    contrast: float = 0.0  # standard deviation of the pixels, 0..255
    renderer: str = ''  # as OpenGL calls it
    error: str = ''


def render(environment: Mapping[str, str]) -> RenderReading:
    """Render in a process of its own: an OpenGL driver that crashes must not end the doctor."""
    try:
        done = subprocess.run(
            [sys.executable, '-m', 'chef_cell.doctor.rendering'],
            capture_output=True,
            env=dict(environment),
            text=True,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return RenderReading(error=f'no image after {_TIMEOUT:g} s')
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f'ended with exit code {done.returncode}']
        return RenderReading(error=lines[-1])
    return RenderReading(**json.loads(done.stdout.splitlines()[-1]))  # drivers print, too


def judge(reading: RenderReading, cameras: int, rate: float) -> Finding:
    """Judge head-less rendering for that many `cameras` at `rate` (Hz)."""
    budget = 1e3 / (rate * max(cameras, 1))
    expected = f'at most {budget:.0f} ms an image for {cameras} cameras at {rate:g} Hz'
    if reading.error:
        return Finding('rendering', Level.FAIL, reading.error, expected, _REMEDY)
    value = f'{reading.milliseconds:.1f} ms an image on {reading.renderer}'
    if reading.contrast < 1.0:
        return Finding('rendering', Level.FAIL, f'an empty image, {value}', expected, _REMEDY)
    if reading.milliseconds > budget:
        remedy = 'fewer cameras, a lower image_rate, or lockstep, which waits for images'
        return Finding('rendering', Level.WARN, value, expected, remedy)
    return Finding('rendering', Level.OK, value, expected)


def main() -> int:
    """Render some images of the cell and print a RenderReading as JSON."""
    from chef_cell.graph import CAMERAS
    from chef_cell.sim.cell import SimCell

    cell = SimCell('1', cameras=CAMERAS[:1])
    cell.reset(seed=0)
    image = cell.render(CAMERAS[0], _SIZE, _SIZE)
    begin = time.perf_counter()
    for _ in range(_IMAGES):
        cell.render(CAMERAS[0], _SIZE, _SIZE)
    milliseconds = 1e3 * (time.perf_counter() - begin) / _IMAGES
    # Only now: PyOpenGL binds to the library that the renderer has chosen.
    from OpenGL.GL import GL_RENDERER, glGetString

    renderer = glGetString(GL_RENDERER).decode()
    reading = RenderReading(milliseconds, float(image.std()), renderer)
    sys.stdout.write(json.dumps(dataclasses.asdict(reading)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
