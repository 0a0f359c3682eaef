"""The `chef` command."""

import argparse
import dataclasses
import socket
import sys
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from chef_cell.cli import calibrate, doctor, sawyer
from chef_cell.cli.arguments import add_cell_arguments, by_node, read_cameras
from chef_cell.cli.paths import config_folder, default_policy
from chef_cell.core.camera_model import CalibrationError
from chef_cell.core.observe import IMAGE_PREFIX
from chef_cell.core.reset.settings import RESETS
from chef_cell.core.results import SessionResult
from chef_cell.core.schedule import ScheduleError, SessionPlan, read_triplets
from chef_cell.core.settings import SettingsError, from_dict
from chef_cell.core.teleop import DEVICES, KEY_HELP
from chef_cell.graph import CAMERAS, CellSettings, GraphError
from chef_trainer.policy_file import PolicyFileError, read_spec

OK, BAD_INPUT, INTERRUPTED = 0, 2, 130
#: Control steps a second.
CONTROL_RATE = 20.0
_RECORD = 'session.json'
#: Width of tables where there is no terminal (characters).
_WIDTH = 120


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    try:
        return int(options.command(options, console))
    except (CalibrationError, GraphError, PolicyFileError, ScheduleError, SettingsError) as error:
        _complain(error)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='chef',
        description='Run sessions in a robot cell and report on them.',
        epilog='exit codes: 0 done, 1 failed, 2 bad input, 3 fault in the cell, 130 Ctrl-C',
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    session = commands.add_parser(
        'session',
        help='run a session in the simulated cell',
        description='Start the simulated cell, run a session in it, show what came out.',
    )
    session.set_defaults(command=_session, teleop='', seconds=None)
    _add_scenes(session, episodes=10)
    _add_policies(session)
    _add_cell(session, CAMERAS[:1])
    _add_teleop(commands)
    report = commands.add_parser('report', help='write the report of a session again')
    report.add_argument('folder', type=Path, help='folder of the session')
    report.set_defaults(command=_report)
    doctor.add_parser(commands)
    sawyer.add_parser(commands)
    calibrate.add_parser(commands)
    return parser


def _add_teleop(commands: Any) -> None:
    """Add the command for demonstrations."""
    teleop = commands.add_parser(
        'teleop',
        help='drive the arm yourself, to record demonstrations',
        description='Start the simulated cell with a person in place of the policy. '
        'Simulated time waits for you, unless --realtime is given.',
        epilog=f'keyboard: {KEY_HELP} docs/teleoperation.md has the other devices.',
    )
    teleop.set_defaults(command=_session, policies=[''], plan=None)
    teleop.add_argument(
        '--device',
        dest='teleop',
        choices=DEVICES,
        default=DEVICES[0],
        help=f'what you drive it with. Default: {DEVICES[0]}',
    )
    teleop.add_argument(
        '--seconds',
        type=float,
        default=60.0,
        metavar='S',
        help='time for an episode that you do not end before. Default: 60',
    )
    _add_scenes(teleop, episodes=5)
    _add_cell(teleop, CAMERAS, view=0)


def _add_scenes(session: argparse.ArgumentParser, episodes: int) -> None:
    """Add which scenes a session plays."""
    session.add_argument(
        '--triplet',
        dest='triplets',
        type=read_triplets,
        metavar='T',
        help='objects: 1 to 5, several as 1,4; or three names, "red,green,blue". Default: 3',
    )
    session.add_argument(
        '--episodes', type=int, help=f'per triplet and policy. Default: {episodes}'
    )
    session.set_defaults(default_episodes=episodes)
    session.add_argument('--seed', type=int, help='repeats a session exactly. Default: 0')


def _add_policies(session: argparse.ArgumentParser) -> None:
    """Add who plays them."""
    session.add_argument(
        '--policy',
        dest='policies',
        action='append',
        metavar='FILE',
        help='policy file; repeat it to compare policies. Default: the one in models/',
    )
    session.add_argument(
        '--plan',
        type=Path,
        metavar='FILE',
        help='YAML file with triplets, episodes, policies, seed; options given here win',
    )


def _add_cell(
    session: argparse.ArgumentParser, cameras: tuple[str, ...], view: int | None = None
) -> None:
    """Add how the cell is started."""
    session.add_argument(
        '--view',
        type=int,
        nargs='?',
        const=0,
        default=view,
        metavar='PORT',
        help='show the cameras in a browser on this machine while it runs; a free port unless '
        f'one is given. Default: {"no" if view is None else "yes"}',
    )
    session.add_argument(
        '--realtime', action='store_true', help='run on the wall clock, not as fast as possible'
    )
    session.add_argument(
        '--cameras',
        type=read_cameras,
        default=cameras,
        metavar='NAMES',
        help=f'all, none, or some of {", ".join(CAMERAS)}. Default: {", ".join(cameras)}',
    )
    session.add_argument(
        '--reset',
        choices=RESETS,
        default=RESETS[0],
        help='who puts the objects where an episode begins: the simulation (scene), which is '
        'faster, or the arm itself (scripted). Default: scene',
    )
    session.add_argument(
        '--tracker',
        action='store_true',
        help='take the poses of the objects from the cameras, as a real cell must; then all '
        'cameras are on. Default: from the simulation',
    )
    add_cell_arguments(session, 'set a parameter of a node, in YAML; wins over config/*.yaml')
    session.add_argument('--no-report', action='store_true', help='leave out the HTML report')


def _session(options: argparse.Namespace, console: Console) -> int:
    from chef_cell.cli import session
    from chef_cell.cli.domain import DomainError

    plan = _plan(options)
    cameras = set(CAMERAS if options.tracker else options.cameras)
    for policy in filter(None, plan.policies):
        cameras |= {
            item.name.removeprefix(IMAGE_PREFIX)
            for item in read_spec(policy).observations
            if item.name.startswith(IMAGE_PREFIX)
        }
    cell = CellSettings(
        lockstep=not options.realtime,
        cameras=tuple(sorted(cameras)),
        directory=str(Path(options.out).resolve()),
        view=_port(options.view) if cameras else None,
        reset=options.reset,
        tracker=options.tracker,
        teleop=options.teleop,
    )
    if cell.view is not None:
        console.print(f'cameras: http://127.0.0.1:{cell.view}/', highlight=False)
    overrides = by_node(options.overrides)
    if options.seconds is not None:
        steps = round(options.seconds * CONTROL_RATE)
        overrides['session'] = {'max_steps': steps, **overrides.get('session', {})}
    request = session.SessionRequest(plan, cell, config_folder(), overrides)
    try:
        folder, code = session.run(request, console)
    except DomainError as error:
        _complain(error)
        return BAD_INPUT
    except session.CellError as error:
        _complain(error)
        return error.exit_code
    _show(folder, console, report=code == OK and not options.no_report)
    return code


def _port(asked: int | None) -> int | None:
    """Return the port to show the cameras on: a free one for 0."""
    if asked != 0:
        return asked
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return int(free.getsockname()[1])


def _plan(options: argparse.Namespace) -> SessionPlan:
    """Return the plan of the options, over that of the plan file, over the defaults."""
    values: dict[str, Any] = {
        'triplets': ('3',),
        'episodes': options.default_episodes,
        'seed': 0,
    }
    if options.plan is not None:
        try:
            values |= yaml.safe_load(options.plan.read_text())
        except (OSError, yaml.YAMLError, TypeError) as error:
            raise ScheduleError(f'plan {options.plan}: {error}') from error
    names = [field.name for field in dataclasses.fields(SessionPlan)]
    values |= {
        name: getattr(options, name) for name in names if getattr(options, name) is not None
    }
    policies = values.get('policies') or [default_policy()]
    values['policies'] = tuple(str(Path(path).resolve()) if path else '' for path in policies)
    values['triplets'] = tuple(values['triplets'])
    return from_dict(SessionPlan, values)


def _show(folder: Path, console: Console, report: bool) -> None:
    """Print the table of a session; write its report and say where it is."""
    if not (folder / _RECORD).exists():
        return
    # Only now: it draws, and that takes long to import.
    from chef_cell.report import build, session_table

    result = SessionResult.from_json((folder / _RECORD).read_text())
    if result.episodes:
        console.print(session_table(folder, result))
    if result.stopped_by:
        _complain(f'session stopped: {result.stopped_by}')
    if report and result.episodes:
        with console.status('writing the report'):
            page = build(folder)
        console.print(f'report: {page}', soft_wrap=True, highlight=False)
    else:
        console.print(f'session: {folder}', soft_wrap=True, highlight=False)


def _complain(words: object) -> None:
    sys.stderr.write(f'chef: {words}\n')


def _report(options: argparse.Namespace, console: Console) -> int:
    if not (options.folder / _RECORD).exists():
        _complain(f'{options.folder} has no {_RECORD}')
        return BAD_INPUT
    _show(options.folder, console, report=True)
    return OK


if __name__ == '__main__':
    sys.exit(main())
