"""The newest image of each camera in a browser, as motion JPEG; the viewer node feeds it."""

import io
import threading
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

_BOUNDARY = 'frame'
#: How long a silent camera is waited for before it is looked whether to end (s).
_PATIENCE = 0.5
_PAGE = """<!doctype html><meta charset="utf-8"><title>cell</title>
<style>body {{ margin: 0; background: #181a1e; color: #cbd2d9; font: 14px system-ui, sans-serif; }}
main {{ display: flex; flex-wrap: wrap; gap: 6px; padding: 6px; }} figure {{ margin: 0; flex: 1; }}
img {{ width: 100%; min-width: 280px; image-rendering: pixelated; }}</style><main>{figures}</main>
"""


class LiveView:
    """Serves http://127.0.0.1:<port>/ to this machine only.

    Raises:
        OSError: the port is in use.
    """

    def __init__(self, port: int, cameras: Iterable[str]) -> None:
        self.cameras = tuple(cameras)
        self._news = threading.Condition()
        self._frames: dict[str, tuple[int, np.ndarray]] = {}
        self._closed = False
        view = self

        class Handler(_Handler):
            live = view

        self._server = ThreadingHTTPServer(('127.0.0.1', port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def port(self) -> int:
        """Port in use."""
        return int(self._server.server_address[1])

    def show(self, camera: str, pixels: np.ndarray) -> None:
        """Take the newest image, (height, width, 3) uint8, RGB; it must not change afterwards."""
        with self._news:
            number = self._frames.get(camera, (0, pixels))[0] + 1
            self._frames[camera] = number, pixels
            self._news.notify_all()

    def wait(self, camera: str, known: int) -> tuple[int, np.ndarray] | None:
        """Return the newest image and its number as soon as it is not `known`; None at the end."""
        with self._news:
            while not self._closed:
                newest = self._frames.get(camera)
                if newest is not None and newest[0] != known:
                    return newest
                self._news.wait(_PATIENCE)
        return None

    def close(self) -> None:
        """Stop serving."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    live: LiveView

    def do_GET(self) -> None:
        """Serve the page, or the endless images of one camera."""
        camera = self.path.strip('/').removesuffix('.mjpg')
        if self.path == '/':
            self._send_page()
        elif camera in self.live.cameras:
            self._send_images(camera)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Requests are of no interest."""

    def _send_page(self) -> None:
        figures = ''.join(
            f'<figure><img src="/{name}.mjpg" alt=""><figcaption>{name}</figcaption></figure>'
            for name in self.live.cameras
        )
        content = _PAGE.format(figures=figures).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_images(self, camera: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header('Content-Type', f'multipart/x-mixed-replace; boundary={_BOUNDARY}')
        self.send_header('Cache-Control', 'no-store')
        self.end_headers()
        known = 0
        while (newest := self.live.wait(camera, known)) is not None:
            known, pixels = newest
            image = _jpeg(pixels)
            head = f'--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n'
            try:
                self.wfile.write(head.encode() + b'\r\n' + image + b'\r\n')
            except OSError:  # nobody looks any more
                return


def _jpeg(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format='jpeg', quality=85, subsampling=0)
    return stream.getvalue()
