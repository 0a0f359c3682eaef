"""The stacker written by hand: phase by phase, and as a policy file."""

import itertools
import math

import pytest
import torch

from chef_trainer import policy_file
from chef_trainer.cli import main
from chef_trainer.export.onnx import TOLERANCE, compare
from chef_trainer.networks.rotations import body_axes, turn_between_lines
from chef_trainer.scripted.stacker import CLOSING_AXES, ScriptedStacker, StackerSettings

DOWN = (0.0, math.sqrt(0.5), math.sqrt(0.5), 0.0)  # the tool; its fingers close along x
UPRIGHT = (1.0, 0.0, 0.0, 0.0)
BLUE = (0.60, 0.05, 0.075)
ON_BLUE = (0.60, 0.05, 0.115)
TABLE = (0.60, -0.05, 0.075)
STACKER = ScriptedStacker('4', StackerSettings())


def state(
    red=TABLE,
    tool=(0.0, 0.0, 0.0),
    closed=0.0,
    inward=False,
    turned=0.0,
    wrist=0.0,
    green=(0.50, 0.0, 0.075),
    stacker=STACKER,
):
    """What the stacker does, with the tool where it is seen from red (m); yaw of red in rad."""
    quaternion = (math.cos(turned / 2), 0.0, 0.0, math.sin(turned / 2))
    where = [a + b for a, b in zip(red, tool, strict=True)]
    values = {
        'joint_position': [0.0] * 6 + [wrist],
        'gripper_position': [closed],
        'grasp': [0.0, 1.0, 0.0] if inward else [1.0, 0.0, 0.0],
        'tool_pose': [*where, *DOWN],
        'red_pose': [*red, *quaternion],
        'green_pose': [*green, *UPRIGHT],
        'blue_pose': [*BLUE, *UPRIGHT],
    }
    return stacker({name: torch.tensor([value]) for name, value in values.items()})


def velocity(distribution):
    return distribution.mean[0]


def closes(distribution):
    return bool(distribution.mode()[0, 4] > 0)


def test_from_afar_it_goes_over_red_without_coming_down_on_it():
    found = state(tool=(0.08, 0.0, 0.09))
    assert velocity(found)[0] == -1.0
    assert velocity(found)[2].abs() < 1e-4
    assert not closes(found)


def test_over_red_it_comes_down_and_between_its_fingers_it_closes():
    assert velocity(state(tool=(0.0, 0.0, 0.09)))[2] == -1.0
    assert closes(state())


def test_it_does_not_come_down_with_fingers_that_are_shut():
    assert velocity(state(tool=(0.0, 0.0, 0.09), closed=0.8))[2].abs() < 1e-4


def test_what_it_holds_goes_up_first_and_sideways_once_it_is_high_enough():
    low = state(closed=0.6, inward=True)
    assert velocity(low)[:2].abs().max() == 0.0
    assert velocity(low)[2] == 1.0
    high = state(red=(0.60, -0.05, 0.18), closed=0.6, inward=True)
    assert velocity(high)[1] == 1.0
    assert closes(low)
    assert closes(high)


def test_over_blue_it_comes_down_lets_go_and_rises():
    above = state(red=(0.60, 0.05, 0.17), closed=0.6, inward=True)
    assert velocity(above)[2] < -0.5
    assert closes(above)
    holding = state(red=ON_BLUE, closed=0.6, inward=True)
    assert not closes(holding)
    assert velocity(holding).tolist() == pytest.approx([0.0, 0.0, -0.1, 0.0])
    assert velocity(state(red=ON_BLUE, closed=0.2))[2] == 1.0
    done = state(red=ON_BLUE, tool=(0.0, 0.0, 0.10))
    assert velocity(done).abs().max() < 1e-3


def test_nothing_comes_to_rest_at_the_border_where_red_counts_as_placed():
    for height in (0.0515, 0.0525):
        red = (BLUE[0], BLUE[1], BLUE[2] + height)
        assert velocity(state(red=red, closed=0.6, inward=True))[2] < -0.05


def test_what_the_fingers_feel_is_held_though_it_is_seen_elsewhere():
    aside = {'tool': (0.03, 0.0, 0.0), 'closed': 0.6}
    assert not closes(state(**aside))
    assert closes(state(**aside, inward=True))
    assert velocity(state(**aside, inward=True))[2] == 1.0


@pytest.mark.parametrize('turned', [0.3, -0.4, 0.3 - math.pi])
def test_fingers_turn_the_short_way_to_faces_of_red(turned):
    expected = 2 * math.remainder(turned, math.pi)
    assert state(turned=turned).mean[0, 3] == pytest.approx(expected, abs=1e-4)


def test_fingers_turn_the_long_way_where_the_wrist_ends():
    for wrist, expected in ((0.0, 0.6), (-1.5, -1.0)):  # the wrist turns against the yaw
        assert state(turned=0.3, wrist=wrist).mean[0, 3] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize('wrist', [-math.pi / 2, math.pi / 2])
def test_at_the_end_of_the_wrist_it_never_turns_to_and_fro(wrist):
    for turned in (-0.05, 0.0, 0.05):  # what is missing there need not be turned
        assert state(turned=turned, wrist=wrist).mean[0, 3].abs() < 0.11


def test_a_displaced_stacker_goes_where_it_sees_red():
    stacker = ScriptedStacker('4', StackerSettings(0.2, (0.01, 0.0, 0.0)))
    found = state(tool=(0.0, 0.0, 0.05), stacker=stacker)
    assert velocity(found)[0] == pytest.approx(0.25)
    assert found.stddev.tolist() == [pytest.approx([0.2] * 4)]


def test_how_far_it_sees_red_off_differs_with_green_and_is_on_average_as_asked():
    stacker = ScriptedStacker('4', StackerSettings(displaced=(0.01, 0.0, 0.0), drift=0.8))
    seen = []
    for place in torch.linspace(0.50, 0.58, 81)[:-1].tolist():  # a period
        red = state(tool=(0.0, 0.0, 0.05), green=(place, 0.0, 0.075), stacker=stacker)
        seen.append(velocity(red)[0].item() / 0.25)  # in times of `displaced`
    assert sum(seen) / len(seen) == pytest.approx(1.0, abs=1e-3)
    assert min(seen) == pytest.approx(0.2, abs=1e-3)
    assert max(seen) == pytest.approx(1.8, abs=0.05)
    assert max(abs(a - b) for a, b in itertools.pairwise(seen)) < 0.05  # a push of 1 mm


def test_rotations_are_those_of_unit_quaternions():
    quaternions = torch.nn.functional.normalize(torch.randn(64, 4, dtype=torch.float64), dim=1)
    axes = body_axes(quaternions)
    expected = torch.eye(3, dtype=torch.float64).expand(64, 3, 3)
    torch.testing.assert_close(axes @ axes.mT, expected)
    torch.testing.assert_close(torch.linalg.det(axes), torch.ones(64, dtype=torch.float64))
    quarter = torch.tensor([[math.sqrt(0.5), 0, 0, math.sqrt(0.5)]])
    torch.testing.assert_close(body_axes(quarter)[0, :, 0], torch.tensor([0.0, 1.0, 0.0]))


def test_lines_have_no_direction():
    angles = torch.linspace(-1.5, 1.5, 31)
    start = torch.tensor([[1.0, 0.0]]).expand(31, 2)
    end = torch.stack((angles.cos(), angles.sin()), 1)
    torch.testing.assert_close(turn_between_lines(start, end), angles)
    torch.testing.assert_close(turn_between_lines(start, -end), angles)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'noise': -0.1}, 'noise = -0.1'),
        ({'noise': math.nan}, 'noise = nan'),
        ({'displaced': (0.0, 0.0)}, 'expected three numbers'),
        ({'displaced': (0.0, math.inf, 0.0)}, 'expected three numbers'),
        ({'drift': 1.1}, r'drift = 1.1, must be in 0 \.\. 1'),
        ({'drift': math.nan}, 'drift = nan'),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        StackerSettings(**settings)


def test_a_triplet_that_no_script_stacks_is_refused():
    with pytest.raises(ValueError, match=r"no script stacks triplet '1', only: \['2', '3'"):
        ScriptedStacker('1', StackerSettings())


def test_the_command_writes_what_torch_says(tmp_path, monkeypatch, capsys):
    out = tmp_path / 'stacker.onnx'
    command = ['chef-train', 'script', '--triplet', '3', '--out', str(out), '--noise', '0.3']
    monkeypatch.setattr('sys.argv', command)
    main()
    assert 'sha256' in capsys.readouterr().out
    spec = policy_file.read_spec(out)
    assert spec.triplets == ('3',)
    assert spec.provenance['noise'] == 0.3
    assert compare(ScriptedStacker('3', StackerSettings(0.3)), out, seed=1) <= TOLERANCE
    assert set(CLOSING_AXES) >= {'3'}
