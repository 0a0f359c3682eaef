"""The bench of latencies runs policy files without torch and says which provider answered."""

import sys

from chef_trainer.bench import latency
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy

SEEN = (
    ObservationSpec('wrench', (6,), 'N, N m', history=2),
    ObservationSpec('image/front', (128, 128, 3), '1', 'uint8'),
)


def test_every_policy_is_measured_on_every_provider(tmp_path, monkeypatch, capsys):
    paths = [tmp_path / f'{name}.onnx' for name in ('one', 'other')]
    for path in paths:
        write_tiny_policy(path, tiny_spec(SEEN))
    monkeypatch.setenv('COLUMNS', '120')
    words = [*map(str, paths), '--answers', '25', '--providers', 'CPUExecutionProvider']
    monkeypatch.setattr(sys, 'argv', ['latency', *words])
    latency.main()
    rows = [line for line in capsys.readouterr().out.splitlines() if 'CPUExecution' in line]
    assert [row.split('│')[1].strip() for row in rows] == ['one', 'other']
    assert all(row.count('CPUExecutionProvider') == 2 for row in rows)
