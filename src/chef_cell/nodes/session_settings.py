"""Parameters of the session node."""

import dataclasses

from chef_cell.core.reset.settings import RESETS


@dataclasses.dataclass(frozen=True)
class SessionSettings:
    """What a session is; those of the plan serve a session that is run on start."""

    lockstep: bool = False
    directory: str = 'sessions'  # a folder per session is made in it
    required: tuple[str, ...] = (
        'mujoco_bridge',
        'wrist',
        'safety',
        'controller',
        'policy',
        'recorder',
    )
    #: scene: the simulated cell makes one; scripted: the arm rearranges the objects itself
    reset: str = 'scene'
    reset_attempts: int = 3  # of a scripted reset that the 20 N rule stops
    run_on_start: bool = False  # run one session, then end with its exit code
    session_id: str = ''  # name of the folder; empty: date and time
    triplets: tuple[str, ...] = ('1',)  # 1..5, or three object names "red,green,blue"
    policies: tuple[str, ...] = ('',)  # policy files; '': the one already loaded
    episodes: int = 1  # per policy and triplet
    seed: int = 0

    def __post_init__(self) -> None:
        if self.reset not in RESETS:
            raise ValueError(f'reset = {self.reset!r}, allowed: {", ".join(RESETS)}')
        if self.reset_attempts < 1:
            raise ValueError(f'reset_attempts = {self.reset_attempts}, at least 1')
