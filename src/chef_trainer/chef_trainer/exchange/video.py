"""Videos of many episodes in a row, from which any frame can be had quickly."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.exchange.trajectory import MissingLibraryError

#: Distance of key frames: a random frame costs at most one other.
KEY_FRAME_DISTANCE = 2


@dataclasses.dataclass(frozen=True)
class Codec:
    """How frames are encoded."""

    library: str  # FFmpeg's name of the encoder
    name: str  # of the codec
    pixels: str
    options: tuple[tuple[str, str], ...]


#: Colour at full resolution, because small coloured objects are what these images are about: at
#: half the resolution they lose 6 dB. AV1 is the format's own default; its encoder has no other.
CODECS = {
    'h264': Codec('libx264', 'h264', 'yuv444p', (('crf', '14'), ('preset', 'veryfast'))),
    'av1': Codec('libsvtav1', 'av1', 'yuv420p', (('crf', '30'), ('preset', '12'))),
}


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingLibraryError('av', 'video') from error
    return av


class VideoWriter:
    """One mp4 file; `frames` and `bytes` tell how much it holds."""

    def __init__(self, path: Path, rate: int, codec: Codec, shape: tuple[int, int, int]) -> None:
        self._av = _av()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container = self._av.open(str(path), 'w', options={'movflags': 'faststart'})
        options = {'g': str(KEY_FRAME_DISTANCE), **dict(codec.options)}
        self._stream = self._container.add_stream(codec.library, rate=rate, options=options)
        self._stream.height, self._stream.width = shape[:2]
        self._stream.pix_fmt = codec.pixels
        self._period = Fraction(1, rate)
        self.frames = self.bytes = 0

    def add(self, frame: np.ndarray) -> None:
        """Append one frame, (height, width, 3) uint8, RGB."""
        picture = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format='rgb24')
        picture.pts, picture.time_base = self.frames, self._period
        self.frames += 1
        self._write(self._stream.encode(picture))

    def close(self) -> None:
        """Finish the file."""
        self._write(self._stream.encode())
        self._container.close()

    def _write(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self.bytes += packet.size
            self._container.mux(packet)


class VideoSeries:
    """The videos of one camera: a new file is begun when one has become large."""

    def __init__(
        self,
        path_of: Callable[[int], Path],
        rate: int,
        codec: Codec,
        shape: tuple[int, int, int],
        limit: float,
    ) -> None:
        """Write files `path_of(number)` of about `limit` bytes."""
        self._path_of, self._rate, self._codec, self._shape = path_of, rate, codec, shape
        self._limit = limit
        self._video: VideoWriter | None = None
        self.number = -1

    def begin_episode(self) -> float:
        """Make room for an episode, which is never split; return when it begins (s)."""
        if self._video is None or self._video.bytes > self._limit:
            self.close()
            self.number += 1
            path = self._path_of(self.number)
            self._video = VideoWriter(path, self._rate, self._codec, self._shape)
        return self.time

    @property
    def time(self) -> float:
        """When the next frame of this file is shown (s)."""
        return self._video.frames / self._rate if self._video else 0.0

    def add(self, frame: np.ndarray) -> None:
        """Append a frame, after `begin_episode`."""
        if self._video is not None:
            self._video.add(frame)

    def close(self) -> None:
        """Complete the file at hand."""
        if self._video is not None:
            self._video.close()
            self._video = None


def read_frames(path: Path, start: float, count: int) -> Iterator[np.ndarray]:
    """Yield `count` frames, (height, width, 3) uint8, from the time `start` (s) on.

    Raises:
        ValueError: the video is shorter.
    """
    with _av().open(str(path)) as container:
        stream = container.streams.video[0]
        # A little early, because times are rounded; half a frame tells one from the next.
        half = 0.5 / float(stream.average_rate)
        container.seek(max(0, round((start - half) / stream.time_base)), stream=stream)
        left = count
        for frame in container.decode(stream):
            if left and frame.time >= start - half:
                left -= 1
                yield frame.to_ndarray(format='rgb24')
            if not left:
                return
    raise ValueError(f'{path}: {left} of {count} frames are missing after {start:g} s')
