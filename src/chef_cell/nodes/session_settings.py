"""Parameters of the session node."""

import dataclasses

from chef_cell.core.reset.settings import RESETS


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long the session waits for others, on the wall clock."""

    ready_timeout: float = 30.0  # s, for all nodes to be up
    load_timeout: float = 60.0  # s, for a policy to be loaded
    reset_timeout: float = 60.0  # s, for a scene to be reset
    scripted_timeout: float = 400.0  # s, for the arm to have rearranged the objects
    readings_timeout: float = 15.0  # s, for new readings of all that a policy needs (real time)
    record_timeout: float = 30.0  # s, for an episode file to be finished
    zero_timeout: float = 0.0  # s, for a new zero of the wrist sensor; 0: none (real time)


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
