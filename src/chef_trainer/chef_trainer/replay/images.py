"""Pixels out of mapped files: one copy from the page cache, or decoded from JPEG."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from chef_trainer.replay.files import MappedFiles


def read_images(
    files: MappedFiles,
    numbers: np.ndarray,
    places: np.ndarray,
    encodings: Mapping[int, str],
    shape: tuple[int, ...],
) -> np.ndarray:
    """Return images (N, *shape) uint8, RGB.

    Args:
        files: the files they lie in.
        numbers: (N,), in which file each of them lies.
        places: (N, 2), offset and bytes.
        encodings: of each file that is named: 'rgb8', 'mono8', 'bgr8' or 'jpeg'.
        shape: height, width, channels.

    Raises:
        ValueError: a JPEG image has another size.
        OSError: a file is gone.
    """
    images = np.empty((len(numbers), *shape), np.uint8)
    rows = images.reshape(len(numbers), -1)
    mapped = {number: files[number] for number in encodings}
    # In the order of the files: neighbours share pages and translations.
    order = np.lexsort((places[:, 0], numbers))
    for row, number, (offset, size) in zip(
        order.tolist(), numbers[order].tolist(), places[order].tolist(), strict=True
    ):
        data = mapped[number][offset : offset + size]
        if encodings[number] == 'jpeg':
            images[row] = _decoded(data, shape)
        else:
            rows[row] = data
    for number, encoding in encodings.items():
        if encoding == 'bgr8':
            blue_first = numbers == number
            images[blue_first] = images[blue_first][..., ::-1]
    return images


def _decoded(data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    with Image.open(io.BytesIO(data.tobytes())) as image:
        pixels = np.asarray(image.convert('L' if shape[2] == 1 else 'RGB'))
    pixels = pixels.reshape(*pixels.shape[:2], shape[2])
    if pixels.shape != shape:
        raise ValueError(f'JPEG image of shape {pixels.shape}, expected {shape}')
    return pixels
