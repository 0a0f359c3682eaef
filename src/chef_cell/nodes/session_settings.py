"""Parameters of the session node."""

import dataclasses


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
    run_on_start: bool = False  # run one session, then end with its exit code
    session_id: str = ''  # name of the folder; empty: date and time
    triplets: tuple[str, ...] = ('1',)  # 1..5, or three object names "red,green,blue"
    policies: tuple[str, ...] = ('',)  # policy files; '': the one already loaded
    episodes: int = 1  # per policy and triplet
    seed: int = 0
