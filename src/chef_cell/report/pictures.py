"""Contact sheets and videos of an episode."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from chef_cell.report.contents import Camera, Contents

#: Frames per row of a contact sheet.
COLUMNS = 8
#: Height of a camera's picture in a video (px) and of the caption above it.
HEIGHT, CAPTION = 256, 24
FRAME_RATE = 20  # Hz, of videos: the control rate
GAP = 2  # px, between pictures

_BACKGROUND, _INK = (24, 26, 30), (230, 232, 236)


def contact_sheet(contents: Contents, path: Path) -> None:
    """Save frames at even times, one row per camera."""
    times = np.linspace(0.0, contents.duration, COLUMNS)
    rows = [[camera.at(time) for time in times] for camera in contents.cameras]
    heights = [row[0].shape[0] for row in rows]
    width = max(sum(frame.shape[1] + GAP for frame in row) for row in rows) - GAP
    sheet = np.full((sum(heights) + GAP * (len(rows) - 1), width, 3), 255, np.uint8)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for frame in row:
            sheet[top : top + height, left : left + frame.shape[1]] = frame
            left += frame.shape[1] + GAP
        top += height + GAP
    Image.fromarray(sheet).save(path, quality=88)


def video(contents: Contents, path: Path, caption: Callable[[float], str]) -> None:
    """Save an H.264 video of all cameras side by side; `caption` of the time (s) stands above."""
    times = contents.cameras[0].time
    font = ImageFont.load_default(14)
    first = _side_by_side(contents.cameras, 0.0)
    scale = max(HEIGHT // first.height, 1)
    size = (_even(scale * first.width), _even(scale * first.height))
    canvas = Image.new('RGB', (size[0], CAPTION + size[1]), _BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    with av.open(str(path), 'w', options={'movflags': '+faststart'}) as container:
        # veryfast costs a tenth of the default preset and a third more bytes.
        stream = container.add_stream(
            'libx264', rate=FRAME_RATE, options={'preset': 'veryfast', 'crf': '24'}
        )
        stream.width, stream.height = canvas.size
        stream.pix_fmt = 'yuv420p'
        for time in times:
            draw.rectangle((0, 0, canvas.width, CAPTION), fill=_BACKGROUND)
            draw.text((6, 4), caption(float(time)), font=font, fill=_INK)
            picture = _side_by_side(contents.cameras, time)
            canvas.paste(picture.resize(size, Image.Resampling.NEAREST), (0, CAPTION))
            frame = av.VideoFrame.from_ndarray(np.asarray(canvas), format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _side_by_side(cameras: tuple[Camera, ...], time: float) -> Image.Image:
    frames = [camera.at(time) for camera in cameras]
    height = max(frame.shape[0] for frame in frames)
    padded = [np.pad(f, ((0, height - f.shape[0]), (0, 0), (0, 0))) for f in frames]
    return Image.fromarray(np.hstack(padded))


def _even(side: int) -> int:
    """H.264 halves the resolution of colour: sides must be even."""
    return side + side % 2
