"""`chef sawyer` from its start to Ctrl-C."""

import signal
import socket
import subprocess
import sys

from chef_cell.testing.wire_client import WireClient


def test_a_sawyer_is_offered_until_ctrl_c():
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, '-m', 'chef_cell.cli.main', 'sawyer', '--port', str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == (
                f'ROS 1: export ROS_MASTER_URI=http://127.0.0.1:{port}\n'
            )
            assert process.stdout.readline().startswith('ROS 2: export ROS_DOMAIN_ID=')
            client = WireClient(f'http://127.0.0.1:{port}')
            assert client.parameter('/manifest/robot_class') == 'sawyer'
            client.close()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_a_port_in_use_is_said_so():
    with socket.create_server(('127.0.0.1', 0)) as used:
        command = [sys.executable, '-m', 'chef_cell.cli.main', 'sawyer']
        command += ['--port', str(used.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert 'intera_server ended with exit code 1' in done.stdout
    assert 'Address already in use' in done.stdout
