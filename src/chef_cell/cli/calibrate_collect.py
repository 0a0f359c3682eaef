"""`chef calibrate collect`: pictures of a board from the cameras of a running cell."""

import argparse
import time
from collections.abc import Callable

import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rich.console import Console
from sensor_msgs.msg import Image, JointState

from chef_cell.calibration import pictures
from chef_cell.calibration.board import Board, detect
from chef_cell.core.camera_model import CalibrationError
from chef_cell.nodes import messages
from chef_cell.nodes.ros import sensor_qos

#: How long all cameras may take to show a new image (s).
DEADLINE = 5.0
#: Joint speed (rad/s) below which the arm is at rest, and the board with it.
_REST = 0.01


class Collector:
    """Takes pictures that were made after they were asked for.

    Args:
        cameras: names.
        namespace: of the cell.
        held: whether joint angles belong to each picture.
        context: to talk in; None: one of its own.
    """

    def __init__(
        self, cameras: tuple[str, ...], namespace: str, held: bool, context: Context | None = None
    ) -> None:
        self._context = context or Context()
        if context is None:
            rclpy.init(context=self._context)
        self._own = context is None
        self._node = Node('calibrate', namespace=namespace, context=self._context)
        self._images: dict[str, Image] = {}
        self._joints: list[JointState] = []
        self._topics = {name: f'camera/{name}/device/image_raw' for name in cameras}
        self._held = held
        for name, topic in self._topics.items():
            keep = self._keeper(name)
            self._node.create_subscription(Image, topic, keep, sensor_qos(lockstep=False))
        self._node.create_subscription(
            JointState, '/robot/joint_states', self._keep_joints, sensor_qos(lockstep=False)
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def shoot(self) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Return the cameras' next images, and the joint angles (rad, (7,)) if they are held.

        Raises:
            CalibrationError: something does not speak, or the arm moves.
        """
        self._drain()
        self._images, self._joints = {}, []
        end = time.monotonic() + DEADLINE
        while not self._complete():
            if time.monotonic() > end:
                raise CalibrationError(
                    f'nothing for {DEADLINE:g} s on {", ".join(self._silent())}'
                )
            self._executor.spin_once(timeout_sec=0.05)
        joints = None
        if self._held:
            arm = messages.arm_from_message(self._joints[-1])
            speed = float(np.abs(arm.velocity).max())
            if speed > _REST:
                raise CalibrationError(f'the arm moves: {speed:.3f} rad/s, at most {_REST:g}')
            joints = arm.position
        # Copied, because a message's memory is not ours.
        images = {
            name: messages.image_from_message(message).pixels.copy()
            for name, message in self._images.items()
        }
        return images, joints

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        if self._own:
            rclpy.try_shutdown(context=self._context)

    def _keeper(self, name: str) -> Callable[[Image], None]:
        def keep(message: Image) -> None:
            self._images.setdefault(name, message)

        return keep

    def _keep_joints(self, message: JointState) -> None:
        self._joints.append(message)

    def _drain(self) -> None:
        """Take what waited while nobody listened."""
        for _ in range(100):
            self._executor.spin_once(timeout_sec=0.0)

    def _complete(self) -> bool:
        return not self._silent()

    def _silent(self) -> list[str]:
        silent = [topic for name, topic in self._topics.items() if name not in self._images]
        return silent + (['/robot/joint_states'] if self._held and not self._joints else [])


def collect(options: argparse.Namespace, console: Console) -> int:
    """Take a view each time Enter is pressed, until the input ends; returns the exit code."""
    board = Board.parse(options.board)
    collector = Collector(options.cameras, options.namespace, options.held)
    place = {'board': options.at} if options.at else {}
    console.print('Enter: take a view. Ctrl-D: done.')
    try:
        while True:
            try:
                input()
            except EOFError:
                return 0
            try:
                images, joints = collector.shoot()
            except (CalibrationError, ValueError) as error:
                console.print(f'not taken: {error}')
                continue
            name = pictures.new_name(options.pictures)
            known = {'joints': joints} if joints is not None else place
            pictures.write_view(options.pictures, name, images, board, **known)
            seen = {camera: len(detect(image, board)) for camera, image in images.items()}
            words = ', '.join(f'{camera} {count}' for camera, count in seen.items())
            console.print(f'{name}: corners {words}', highlight=False)
    finally:
        collector.close()
