"""What every node shares: start and stop, settings from parameters, QoS by role, time stamps."""

import functools
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import rclpy
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.event_handler import EventHandler
from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor, ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions

from chef_cell.nodes.diagnostics import Diagnostics, MonitoredNode
from chef_cell.nodes.parameters import declare_settings
from chef_cell.nodes.priority import go_first
from chef_cell.nodes.roll_call import RollCall
from chef_cell.nodes.transport import control_environment
from chef_cell.nodes.wire import (
    COMMAND_QOS,
    COMMANDER_QOS,
    SENSOR_PUBLISHER_QOS,
    STATE_QOS,
    every,
    nanoseconds,
    seconds,
    sensor_qos,
    to_stamp,
)

__all__ = [
    'COMMANDER_QOS',
    'COMMAND_QOS',
    'SENSOR_PUBLISHER_QOS',
    'STATE_QOS',
    'CellNode',
    'ManagedNode',
    'RollCall',
    'declare_settings',
    'every',
    'nanoseconds',
    'run',
    'seconds',
    'sensor_qos',
    'spin_once',
    'to_stamp',
]

#: How long one wait for work may take: the bound on reacting to a signal (s).
SPIN_TIMEOUT = 0.05


class CellNode(MonitoredNode):
    """A node that works from its first to its last breath (safety, controller, wrist).

    Set `finished` to leave the process with `exit_code`.
    """

    finished = False
    exit_code = 0

    def stop(self) -> None:
        """Last words before the process ends: publish a stop, close files. May be called twice."""


class ManagedNode(MonitoredNode, LifecycleNode):
    """A lifecycle node whose hooks may raise: errors are logged and answered with ERROR.

    rclpy swallows exceptions raised in transition callbacks. Subclasses override the hooks
    `setup`, `start`, `pause` and `teardown`, never the `on_*` callbacks. What was made since
    `setup` began is destroyed at cleanup, so that the node can be configured again. With the
    parameter `autostart` (default true) the node configures and activates itself, so that it
    comes up the same way under `ros2 launch` and under our own runner; an operator may still
    deactivate it.
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._autostart = self.declare_parameter(
            'autostart', True, ParameterDescriptor(description='configure and activate at start')
        ).value
        self.active = False
        self.finished = False
        self.exit_code = 0
        self._roll_call: RollCall | None = None
        self._kept: set[int] = set()
        if self._autostart:
            self._timer = self.create_timer(0.0, self._bring_up)

    def setup(self) -> None:
        """Configure: read settings, make publishers and subscriptions."""

    def start(self) -> None:
        """Activate."""

    def pause(self) -> None:
        """Deactivate."""

    def teardown(self) -> None:
        """Release everything; must be safe to call twice."""

    def call_roll(self) -> RollCall:
        """Begin the roll call; called at the first activation."""
        return RollCall(self)

    def stop(self) -> None:
        """Last words before the process ends."""
        if self.active:
            self.pause()
        self.teardown()

    def _bring_up(self) -> None:
        self._timer.cancel()
        success = TransitionCallbackReturn.SUCCESS
        if self.trigger_configure() != success or self.trigger_activate() != success:
            # Started by a supervisor and unable to work: say so by the exit code.
            self.finished, self.exit_code = True, 1

    def _attempt(self, hook: Callable[[], None], name: str) -> TransitionCallbackReturn:
        try:
            hook()
        except Exception as error:
            self.get_logger().error(f'{name} failed: {error}\n{traceback.format_exc()}')
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `setup`; see the class."""
        self._kept = {id(entity) for entity, _ in self._entities()}
        return self._attempt(self.setup, 'configure')

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `start`; see the class."""
        self.active = True
        result = self._attempt(self.start, 'activate')
        if result == TransitionCallbackReturn.SUCCESS:
            result = super().on_activate(state)
            self._roll_call = self._roll_call or self.call_roll()
            forget_start()
        else:
            self.active = False
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `pause`; see the class."""
        self.active = False
        result = self._attempt(self.pause, 'deactivate')
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `teardown`, and destroy what was made since `setup`."""
        return self._attempt(self._release, 'cleanup')

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Call `stop`; see the class."""
        return self._attempt(self.stop, 'shutdown')

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything and go back to unconfigured."""
        self.active = False
        return self._attempt(self._release, 'error handling')

    def _entities(self) -> Iterator[tuple[Any, Callable[[], object]]]:
        """All that this node has made, and how each is destroyed."""
        for entities, destroy in (
            (self.timers, self.destroy_timer),
            (self.subscriptions, self.destroy_subscription),
            (self.publishers, self.destroy_publisher),
            (self.clients, self.destroy_client),
            (self.services, self.destroy_service),
        ):
            for entity in list(entities):
                yield entity, functools.partial(destroy, entity)
        for waitable in list(self.waitables):  # actions; events go with those above
            yield waitable, waitable.destroy

    def _release(self) -> None:
        self.teardown()
        self._roll_call = None
        for entity, destroy in self._entities():
            if id(entity) not in self._kept:
                destroy()


def forget_start() -> None:
    """Spare the garbage collector what lives as long as the node: it would take 30 ms over it.

    All threads stand still meanwhile, and that would come a few times a minute.
    """
    gc.collect()
    gc.freeze()


def spin_once(executor: Executor, timeout: float) -> None:
    """Let an executor do one piece of work; waits for it (s) if there is none.

    Events of a publisher or subscription that is destroyed may be queued already, and the events
    executor fails to take them. Nobody misses them.
    """
    try:
        executor.spin_once(timeout_sec=timeout)
    except InvalidHandle as error:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        if frame.f_code is not EventHandler.take_data.__code__:
            raise


def run(
    make_node: Callable[[], CellNode | ManagedNode],
    make_executor: Callable[[], Executor] = EventsExecutor,
) -> int:
    """Run one node in this process until SIGINT or SIGTERM; return the exit code.

    Signals are handled here, not by rclpy: with rclpy's handlers a node can no longer publish
    its stop command once the signal has arrived. Exit codes: 0 asked to stop, 1 could not start
    or failed.
    """
    try:
        return _run(make_node, make_executor)
    finally:
        # A node refers to itself. Left to the end of the program, its DDS threads would still be
        # there when the libraries leave, and may then run for ever.
        gc.unfreeze()
        gc.collect()


def _run(
    make_node: Callable[[], CellNode | ManagedNode], make_executor: Callable[[], Executor]
) -> int:
    stop_requested = False

    def request_stop(*_: object) -> None:
        nonlocal stop_requested
        stop_requested = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    if not getattr(make_node, 'images', False):
        os.environ.update(control_environment(os.environ))
    late = go_first() if getattr(make_node, 'urgent', False) else ''
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    node = None
    try:
        node = make_node()
        if late:
            node.get_logger().info(late)
        Diagnostics(node)
        if isinstance(node, CellNode):
            RollCall(node)
        # The events executor waits in C++ instead of building a wait set in Python for every
        # message: less than half the processor time. Its own `spin` hangs in some releases, so
        # it is never used.
        executor = make_executor()
        executor.add_node(node)
        forget_start()
        while not stop_requested and not node.finished:
            spin_once(executor, SPIN_TIMEOUT)
        return node.exit_code
    except ExternalShutdownException:
        return 0
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        if node is not None:
            node.stop()
            node.destroy_node()
        rclpy.try_shutdown()
