"""Pixels out of mapped files: one copy from the page cache, or decoded from JPEG."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from chef_trainer.replay.files import MappedFiles

#: Encodings whose bytes are the pixels.
IN_PLACE = ('rgb8', 'mono8')


def read_images(
    files: MappedFiles,
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
    mapped = {number: files[number] for number in set(numbers.tolist())}
    # All cameras of a row at once: their images are neighbours in the file.
    for row, (number, images) in enumerate(zip(numbers.tolist(), places.tolist(), strict=True)):
        data = mapped[number]
        if not encodings:
            for target, (offset, size) in zip(flat, images, strict=True):
                target[row] = data[offset : offset + size]
            continue
        for image, encoding, (offset, size) in zip(
            results, encodings[number], images, strict=True
        ):
            image[row] = _pixels(data[offset : offset + size], encoding, image.shape[1:])
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
