"""Pixels out of episode files: one copy from the page cache, or decoded from JPEG."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from chef_trainer.replay.files import EpisodeFiles

#: Encodings whose bytes are the pixels.
IN_PLACE = ('rgb8', 'mono8')
#: Images of a row that lie within so many bytes are read together.
SPAN = 1 << 21


def read_images(
    files: EpisodeFiles,
    numbers: np.ndarray,
    places: np.ndarray,
    shapes: Sequence[tuple[int, ...]],
    encodings: Mapping[int, Sequence[str]],
) -> list[np.ndarray]:
    """Return the images of C cameras, each (N, *shape) uint8, RGB.

    Args:
        files: the files they lie in.
        numbers: (N,), in which file the images of each row lie.
        places: (N, C, 2), offset and bytes.
        shapes: height, width, channels of each camera.
        encodings: number of a file -> encoding of each camera; empty: all are `IN_PLACE`.

    Raises:
        ValueError: a JPEG image has another size.
        OSError: a file is gone.
    """
    results = [np.empty((len(numbers), *shape), np.uint8) for shape in shapes]
    flat = [images.reshape(len(numbers), -1) for images in results]
    starts = places[:, :, 0].min(axis=1).tolist()
    ends = places.sum(axis=2).max(axis=1).tolist()
    # All cameras of a row at once: their images are neighbours in the file.
    for row, (number, images) in enumerate(zip(numbers.tolist(), places.tolist(), strict=True)):
        wide = ends[row] - starts[row] > SPAN
        if not wide:
            data, origin = files.window(number, starts[row], ends[row])
        for camera, (offset, size) in enumerate(images):
            if wide:
                data, origin = files.window(number, offset, offset + size)
            piece = data[offset - origin : offset - origin + size]
            if encodings:
                image, shape = results[camera], shapes[camera]
                image[row] = _pixels(piece, encodings[number][camera], shape)
            else:
                flat[camera][row] = piece
    return results


def _pixels(data: np.ndarray, encoding: str, shape: tuple[int, ...]) -> np.ndarray:
    if encoding == 'jpeg':
        return _decoded(data, shape)
    pixels = data.reshape(shape)
    return pixels[..., ::-1] if encoding == 'bgr8' else pixels


def _decoded(data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    with Image.open(io.BytesIO(data.tobytes())) as image:
        pixels = np.asarray(image.convert('L' if shape[2] == 1 else 'RGB'))
    pixels = pixels.reshape(*pixels.shape[:2], shape[2])
    if pixels.shape != shape:
        raise ValueError(f'JPEG image of shape {pixels.shape}, expected {shape}')
    return pixels
