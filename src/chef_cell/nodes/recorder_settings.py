"""What is recorded, where to, and what happens when the disk does not keep up."""

import dataclasses
import json

from chef_cell.core.topic_rules import TopicRule, parse_rule


@dataclasses.dataclass(frozen=True)
class RecorderSettings:
    """Topics are names or patterns; relative ones lie in the node's namespace."""

    lockstep: bool = False
    directory: str = 'sessions'  # episodes go to <directory>/<session_id>/
    cell_id: str = ''  # name of this cell in its files; empty: host name and namespace
    topics: tuple[str, ...] = (  # each: NAME [rate=HZ] [crop=PIXELS] [jpeg=QUALITY]
        '/robot/joint_states', '/robot/limb/*/joint_command', '/robot/limb/*/endpoint_state',
        '/robot/state', 'camera/*/image_raw', 'camera/*/camera_info', 'command',
        'controller/state', 'ft300/wrench', 'gripper/command', 'gripper/state', 'notes',
        'objects', 'policy', 'policy/spec', 'safety', 'tick', 'wrist/wrench',
    )  # fmt: skip
    awaited: tuple[str, ...] = (  # sensors: a file is closed when these have reached its end
        '/robot/joint_states', 'camera/*/image_raw', 'gripper/state', 'objects', 'wrist/wrench',
    )  # fmt: skip
    limits: str = '{}'  # limits in force, as JSON, for the file
    calibration: str = '{}'  # calibration in force, as JSON, for the file
    max_loss: float = 0.01  # share of a topic's messages; an episode that lost more is marked
    queue_mb: float = 256.0  # MB for messages that wait for the disk; beyond, the session stops
    sync_period: float = 1.0  # s between forcing closed chunks to the disk
    min_free_mb: float = 512.0  # MB without which no episode is begun
    reserve_mb: float = 64.0  # MB; when less is left, the file is finished and the session stops
    quota_gb: float = 0.0  # GB of all episodes; the oldest are deleted beyond; 0: keep all
    keep_days: float = 0.0  # days after which episodes are deleted; 0: keep all
    drain: float = 2.0  # s, how long awaited topics may take to reach the end

    def __post_init__(self) -> None:
        for text in (self.limits, self.calibration):
            json.loads(text)  # a ValueError says where it is wrong
        if not 0.0 <= self.max_loss <= 1.0:
            raise ValueError(f'max_loss {self.max_loss}, allowed: 0 .. 1')
        if self.reserve_mb > self.min_free_mb:
            raise ValueError(
                f'reserve_mb {self.reserve_mb:g} is above min_free_mb {self.min_free_mb:g}'
            )
        if self.quota_gb < 0.0 or self.keep_days < 0.0:
            raise ValueError('quota_gb and keep_days must not be negative')
        for line in self.topics:
            parse_rule(line)  # a TopicRuleError says what is allowed

    @property
    def rules(self) -> tuple[TopicRule, ...]:
        """The topics, understood; raises TopicRuleError."""
        return tuple(parse_rule(line) for line in self.topics)
