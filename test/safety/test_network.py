"""The whole network of a cell goes down in the middle of an episode, in a namespace of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from live_cell import SETTINGS, write_slow_policy

from chef_trainer.episodes import EpisodeReader

#: A network of nobody but this command and its children, who may do with it what they like.
UNSHARE = ('unshare', '--user', '--map-root-user', '--net')
STILL = 0.01  # rad/s, measured
STOPPED_BY_FAULT = 3  # exit code of chef session

#: What a loaded machine does must not stop the session before the network goes.
PATIENCE = [
    f'--set={node}.{name}={value}'
    for node in ('safety', 'controller', 'policy', 'session')
    for name, value in SETTINGS[node].items()
    if name != 'cameras'
]

#: Runs in the namespace: starts a session, waits for a moving arm, switches loopback off.
CUT = """
import fcntl, json, socket, struct, subprocess, sys, time

def switch_loopback(up):
    # struct ifreq and the numbers of linux/if.h and linux/sockios.h
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack('16sh22x', b'lo', 0x1 if up else 0x0)  # IFF_UP
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS

switch_loopback(True)
session = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
try:
    import rclpy
    from intera_core_msgs.msg import JointCommand
    rclpy.init()
    node = rclpy.create_node('watcher')
    commands = []
    node.create_subscription(
        JointCommand, '/robot/limb/right/joint_command', lambda m: commands.append(m.velocity), 1
    )
    while sum(map(any, commands)) < 50 and session.poll() is None:  # half a second of motion
        rclpy.spin_once(node, timeout_sec=0.5)
    switch_loopback(False)
    cut = time.time_ns()
    output, _ = session.communicate()
finally:
    session.kill()
    session.wait()
print(json.dumps([session.returncode, cut, output.decode()]))
"""


def test_loopback_goes_down(tmp_path: Path) -> None:
    unshare = shutil.which(UNSHARE[0])
    if not unshare or subprocess.run([*UNSHARE, 'true'], check=False).returncode:
        pytest.skip('network namespaces are not allowed here')
    policy = tmp_path / 'slow.onnx'
    write_slow_policy(policy)
    session = [sys.executable, '-m', 'chef_cell.cli.main', 'session', '--realtime', '--no-report']
    session += ['--cameras', 'none', '--policy', str(policy), '--out', str(tmp_path / 'out')]
    session += PATIENCE
    done = subprocess.run(
        [*UNSHARE, sys.executable, '-c', CUT, *session],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code, cut, output = json.loads(done.stdout)
    assert code == STOPPED_BY_FAULT, output
    (folder,) = (tmp_path / 'out').iterdir()
    (episode,) = json.loads((folder / 'session.json').read_text())['episodes']
    assert episode['outcome'] == 'fault'
    assert 'safety: no verdict' in episode['reason']
    assert_at_rest_after(EpisodeReader(next(folder.glob('*/*.mcap'))), cut)


def assert_at_rest_after(reader: EpisodeReader, cut: int) -> None:
    """No command passes any more; the robot's own timeout then holds the arm.

    The recorder still hears the robot: the two share memory.
    """
    states = reader.arrays('/robot/joint_states')
    speed = np.abs(states['velocity']).max(axis=1)
    assert (speed[states['log_time'] < cut] > STILL).any(), 'it has not moved'
    assert (speed[-10:] < STILL).all(), speed[-10:]
    commands = reader.arrays('/robot/limb/right/joint_command')['log_time']
    assert commands[-1] < states['log_time'][-10], 'commands still arrive'
