"""How long does a vision policy take to answer, on which execution provider?

    python -m chef_trainer.bench.latency --write POLICIES             # needs torch
    python -m chef_trainer.bench.latency POLICIES/*.onnx [--threads 2] [--bfloat16]

The first command exports a policy of random weights for each torso: three cameras of 128x128,
proprioception and wrist forces, networks 256x3. The second runs policy files one observation at a
time, as the policy node does, on every provider that this build of ONNX Runtime offers; it needs
neither torch nor the rest of the trainer, so onnxruntime-openvino and onnxruntime-gpu can be
measured each in an environment of its own. Blocks of all alternate.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime
from rich.console import Console
from rich.table import Table

from chef_trainer import policy_file
from chef_trainer.spec import PolicySpec
from chef_trainer.task.observe import observation_specs

SEEN = (
    'joint_position', 'joint_velocity', 'gripper_position', 'grasp', 'tool_pose', 'wrench',
    'image/basket_front_left', 'image/basket_front_right', 'image/basket_back_left',
)  # fmt: skip
TORSOS = ('small', 'large')
BLOCK = 25  # answers


def main() -> None:
    """Write policies, or measure some."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('policies', type=Path, nargs='*', help='policy files (.onnx)')
    parser.add_argument('--write', type=Path, metavar='DIR', help='export vision policies there')
    parser.add_argument('--threads', type=int, default=2, help='of one answer (%(default)s)')
    parser.add_argument('--bfloat16', action='store_true', help='let OpenVINO compute in bfloat16')
    parser.add_argument('--answers', type=int, default=500, help='of each (%(default)s)')
    parser.add_argument(
        '--providers',
        nargs='+',
        default=[one for one in onnxruntime.get_available_providers() if 'Azure' not in one],
        help='execution providers (default: all that this build offers)',
    )
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write)
    sessions = {
        (path, name): policy_file.open_session(
            path, (name,), arguments.threads, arguments.bfloat16
        )
        for path in arguments.policies
        for name in arguments.providers
    }
    if sessions:
        times = measure(sessions, arguments.answers)
        Console().print(table(times, sessions, arguments.threads))


def write(folder: Path) -> None:
    """Export a policy of random weights for each torso."""
    from chef_trainer.export.onnx import export_policy
    from chef_trainer.methods.table import METHODS
    from chef_trainer.networks.agent import AgentNetworks, NetworkSettings
    from chef_trainer.networks.deployed import DeployedPolicy
    from chef_trainer.networks.encoder import VisionSettings

    folder.mkdir(parents=True, exist_ok=True)
    seen = observation_specs(SEEN)
    for torso in TORSOS:
        settings = NetworkSettings(seen, vision=VisionSettings(torso))
        policy = DeployedPolicy(AgentNetworks(METHODS['bc'], settings))
        export_policy(policy, PolicySpec(name=torso, observations=seen), folder / f'{torso}.onnx')


def measure(
    sessions: dict[tuple[Path, str], onnxruntime.InferenceSession], answers: int
) -> dict[tuple[Path, str], np.ndarray]:
    """Return the time (s) of every answer, after a block to warm up."""
    random = np.random.default_rng(0)
    times: dict[tuple[Path, str], list[float]] = {key: [] for key in sessions}
    feeds = {
        path: {
            one.name: random.integers(256, size=(1, *one.stacked_shape), dtype=np.uint8)
            if one.dtype == 'uint8'
            else random.normal(size=(1, *one.stacked_shape)).astype(np.float32)
            for one in policy_file.read_spec(path).observations
        }
        for path in {path for path, _ in sessions}
    }
    for number in range(1 + -(-answers // BLOCK)):
        for (path, name), session in sessions.items():
            for _ in range(BLOCK):
                begin = time.perf_counter()
                session.run(['action'], feeds[path])
                if number:
                    times[path, name].append(time.perf_counter() - begin)
    return {key: np.array(value) for key, value in times.items()}


def table(
    times: dict[tuple[Path, str], np.ndarray],
    sessions: dict[tuple[Path, str], onnxruntime.InferenceSession],
    threads: int,
) -> Table:
    """Return the table: medians and the slowest hundredth."""
    version = onnxruntime.__version__
    result = Table(
        'policy', 'asked for', 'in force', 'p50 ms', 'p99 ms',
        title=f'ONNX Runtime {version}, {threads} threads',
    )  # fmt: skip
    for (path, name), one in times.items():
        in_force = sessions[path, name].get_providers()[0]
        middle, slow = np.percentile(one * 1e3, (50, 99))
        result.add_row(path.stem, name, in_force, f'{middle:.1f}', f'{slow:.1f}')
    return result


if __name__ == '__main__':
    main()
