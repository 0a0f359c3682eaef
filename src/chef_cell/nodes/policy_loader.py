"""The service policy/load_policy, answered beside the control of the arm."""

import dataclasses
import queue
import threading
from collections.abc import Callable

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from chef_cell.core.policy_slot import Candidate
from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_cell.nodes import ros
from chef_interfaces.srv import LoadPolicy

#: How often the owner looks for a policy that was loaded (s).
_PERIOD = 0.02
_SPIN_TIMEOUT = 0.1


@dataclasses.dataclass(frozen=True)
class PolicySettings:
    """Parameters of the policy node."""

    lockstep: bool = False
    policy: str = ''  # policy file to start with; empty: wait for policy/load_policy
    cameras: tuple[str, ...] = ()
    rate_hz: float = 20.0
    max_age: float = 0.2  # s; an older reading stops the policy (real time only)
    providers: tuple[str, ...] = ('CUDAExecutionProvider', 'CPUExecutionProvider')
    threads: int = 1  # of one inference; more leave less to the control nodes
    bfloat16: bool = False  # OpenVINO only: half the time of a vision policy, where it has units


def opener(node: Node, settings: PolicySettings) -> Callable[[str], OnnxRunner]:
    """Return what opens a policy file, and tells the log of `node` on what it runs, and why."""

    def open_file(path: str) -> OnnxRunner:
        runner = OnnxRunner(path, settings.providers, settings.threads, settings.bfloat16)
        why = f' ({runner.fallback})' if runner.fallback else ''
        node.get_logger().info(f'{path} runs on {runner.provider}{why}')
        return runner

    return open_file


class PolicyLoader:
    """Loads policies in a thread: it takes longer than a control period has left.

    Args:
        owner: the node that owns the policy; must be spinning.
        prepare: opens, checks and warms up a policy file; called in the thread.
        take: receives what was prepared; called by the owner's executor.
    """

    def __init__(
        self,
        owner: Node,
        prepare: Callable[[str], Candidate],
        take: Callable[[Candidate], None],
    ) -> None:
        self._prepare = prepare
        self._take = take
        self._prepared: queue.SimpleQueue[Candidate] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._node = Node(
            'policy_loader',
            namespace=owner.get_namespace(),
            context=owner.context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._node.create_service(LoadPolicy, 'policy/load_policy', self._on_request)
        ros.every(owner, _PERIOD, self._hand_over)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._stopping.set()
        self._thread.join()
        self._node.destroy_node()

    def _spin(self) -> None:
        executor = SingleThreadedExecutor(context=self._node.context)
        executor.add_node(self._node)
        while not self._stopping.is_set() and self._node.context.ok():
            executor.spin_once(timeout_sec=_SPIN_TIMEOUT)
        executor.shutdown()

    def _on_request(
        self, request: LoadPolicy.Request, response: LoadPolicy.Response
    ) -> LoadPolicy.Response:
        candidate = self._prepare(request.path)
        self._prepared.put(candidate)
        response.message = candidate.error
        if candidate.runner is not None:
            response.accepted = True
            response.name = candidate.runner.spec.name
            response.sha256 = candidate.runner.sha256
        return response

    def _hand_over(self) -> None:
        while not self._prepared.empty():
            self._take(self._prepared.get())
