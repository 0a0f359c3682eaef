"""One tick of the joint loop: ask what is allowed, move or stop, never jump."""

import numpy as np

from chef_cell.core.command import CommandGate, Decision, Motion
from chef_cell.core.velocity import CartesianController, ControlOutput

AT_REST = ControlOutput(np.zeros(7), np.zeros(6), (), np.zeros((6, 6)))


class JointLoop:
    """Joins the gate (whether to move) and the Cartesian controller (how)."""

    def __init__(self, gate: CommandGate, controller: CartesianController) -> None:
        self.gate = gate
        self._controller = controller
        self._position: np.ndarray | None = None
        self._episode_id = ''

    def on_joints(self, position: np.ndarray | None, now: float) -> None:
        """Take measured joint positions (rad, (7,)); None for a message that was unusable."""
        valid = position is not None and bool(np.all(np.isfinite(position)))
        if valid:
            self._position = position
        self.gate.on_joints(valid, now)

    def begin(self, episode_id: str) -> None:
        """Start another episode at rest where the arm is, whatever was commanded before.

        For simulated time, in which the arm was put there: a real one may still be slowing down.
        """
        if episode_id != self._episode_id:
            self._episode_id = episode_id
            self.gate.begin()
            self._reset()

    def step(self, now: float) -> tuple[Decision, ControlOutput]:
        """Return what was decided for the time `now`, and the joint velocities to command."""
        decision = self.gate.decide(now)
        if decision.motion is Motion.HALT or self._position is None:
            # Start again from where the arm is, at rest: resuming must never jump.
            self._reset()
            return decision, AT_REST
        return decision, self._controller.step(self._position, decision.command)

    def _reset(self) -> None:
        if self._position is not None:
            self._controller.reset(self._position)
