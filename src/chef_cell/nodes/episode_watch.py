"""Watches one episode for the session: rewards per step, the latch, the policy, silence."""

import dataclasses
import json
import time
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time

from chef_cell.core.ports import Kinematics
from chef_cell.core.results import EpisodeResult, SessionResult
from chef_cell.core.rewards import REWARD_NAMES, TaskState, rewards
from chef_cell.core.schedule import PlannedEpisode
from chef_cell.core.session import Episode, EpisodeSettings, Phase, Stop, silent_node
from chef_cell.nodes import ros
from chef_cell.nodes.cell_client import CellClient
from chef_interfaces.msg import EpisodeState, SafetyState

#: How far behind a stream may be in real time before its node counts as silent (ns).
TOLERANCE_NS = 500_000_000
_ENDLESS = 2**31 - 1  # control steps


class EpisodeWatch:
    """One episode of the queue, from its reset to its outcome."""

    def __init__(
        self,
        planned: PlannedEpisode,
        episode_id: str,
        settings: EpisodeSettings,
        kinematics: Kinematics,
    ) -> None:
        self.planned = planned
        self.episode_id = episode_id
        self.episode = Episode(settings, time.monotonic())
        self.objects: tuple[str, ...] = ('', '', '')
        self.reset_id = ''  # of the scripted reset before it; empty when there is none under way
        self.rearranging = False  # whether the arm may move for it
        self.start = Time()
        self._settings = settings
        self._kinematics = kinematics
        self._begun = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the outcome is decided."""
        return self.episode.phase == Phase.ENDED

    def begin(self, stamp: Time, objects: tuple[str, ...]) -> None:
        """The scene is reset; `stamp` is that of the first observation."""
        self.start, self.objects = stamp, objects
        self.episode.start(ros.nanoseconds(stamp), time.monotonic())

    def on_step(self, stamp_ns: int, samples: dict[str, Any]) -> None:
        """Judge the samples of a control step."""
        try:
            state = self._task_state(samples)
        except ValueError as error:
            self.on_problem(str(error))
            return
        self.episode.on_step(stamp_ns, rewards(state), time.monotonic())

    def on_problem(self, words: str) -> None:
        """End the episode, because a sample cannot be used."""
        self.episode.stop(Stop('fault', words), time.monotonic())

    def check(self, client: CellClient, lockstep: bool) -> None:
        """End the episode if the latch, the policy or a long silence says so."""
        now = time.monotonic()
        safety, policy = client.safety, client.policy
        ours = safety.episode_id == self.episode_id
        if safety.level == SafetyState.FAULT or (safety.level and ours):
            outcome = 'fault' if safety.level == SafetyState.FAULT else 'force'
            since = ros.nanoseconds(safety.since) if ours else None
            reason = f'safety: {safety.reason} ({safety.source})'
            self.episode.stop(Stop(outcome, reason, safety.value, safety.limit, since), now)
        if policy.fault and self.episode.phase == Phase.RUNNING:
            self.episode.stop(Stop('fault', f'policy: {policy.fault}'), now)
        recorder = client.recorder
        if recorder.error and recorder.episode_id == self.episode_id:
            # What goes on unrecorded is worth nothing; what is recorded is kept.
            self.episode.stop(Stop('fault', f'recorder: {recorder.error}'), now)
        age, limit = now - client.verdict_heard, self._settings.safety_timeout
        # In lockstep no step is complete without a verdict. In real time samples go on, and only
        # the arm stands still when the latch is dead or hangs.
        if not lockstep and self.episode.phase == Phase.RUNNING and age > limit:
            reason = f'safety: no verdict for {age:.2f} s'
            self.episode.stop(Stop('fault', reason, age, limit), now)
        silent = silent_node(client.newest_ns, 0 if lockstep else TOLERANCE_NS)
        self.episode.on_time(now, silent)

    def _task_state(self, samples: dict[str, Any]) -> TaskState:
        poses = samples['objects'].poses
        # A pose that is not a number must never count as a stack.
        if not all(np.isfinite(pose).all() for pose in poses.values()):
            raise ValueError(f'objects: poses are not finite: {poses}')
        gripper = samples['gripper']
        tool = self._kinematics.tool_pose(samples['arm'].position)
        return TaskState(
            **poses, tool=tool, gripper_position=gripper.position, grasp=gripper.grasp
        )

    def message(self, session: SessionResult, total: int, client: CellClient) -> EpisodeState:
        """Return the episode as a message, stamped with its newest step."""
        planned, episode = self.planned, self.episode
        state = EpisodeState(
            phase=int(episode.phase),
            session_id=session.session_id,
            episode_id=self.episode_id,
            index=planned.index,
            total=total,
            triplet=planned.triplet,
            objects=list(self.objects),
            policy=client.policy.name,
            policy_sha256=client.policy.sha256,
            seed=planned.seed,
            schedule=json.dumps(session.settings),
            start=self.start,
            max_steps=self._settings.max_steps,
            steps=episode.steps,
            outcome=episode.outcome,
            reason=episode.reason,
            success=episode.success,
            value=float(episode.value),
            limit=float(episode.limit),
            end=ros.to_stamp(episode.end_ns),
            reward_names=list(REWARD_NAMES),
            final_rewards=list(episode.final_rewards.values()),
            return_rewards=list(episode.return_rewards.values()),
            peak_force=episode.peak_force,
        )
        if self.reset_id:
            # No longer than the reset node wants: it ends by its own time budget.
            state.episode_id, state.max_steps = self.reset_id, _ENDLESS
            state.phase = int(Phase.SCRIPTED_RESET if self.rearranging else Phase.RESETTING)
        state.header.stamp = state.end
        return state

    def result(self, client: CellClient, file: str) -> EpisodeResult:
        """Return the record for session.json."""
        shared = {field.name for field in dataclasses.fields(EpisodeResult)}
        values = {name: value for name, value in vars(self.episode).items() if name in shared}
        return EpisodeResult(
            index=self.planned.index,
            episode_id=self.episode_id,
            triplet=self.planned.triplet,
            objects=tuple(self.objects),
            policy=client.policy.name,
            policy_sha256=client.policy.sha256,
            seed=self.planned.seed,
            file=file,
            wall_seconds=time.monotonic() - self._begun,
            **values,
        )
