"""Value functions: an ensemble of torsos shared by the tasks, a small network for each task."""

import torch
from torch import Tensor, nn
from torch.nn.functional import elu

from chef_trainer.networks.batched import BatchedLinear, BatchedMLP, BatchedTanhTorso


class Critic(nn.Module):
    """Q(s, a) of E members and K tasks: one number, or logits over atoms.

    With one member and task it is the released RGB-stacking critic: the action joins the state
    behind the state's torso. The layer that joins them is kept as two factors, so that many
    sampled actions of one state cost its state part once.

    Args:
        inputs: size of an encoded state.
        hidden: units per layer; the first is the torso's.
        members: E.
        tasks: K.
        action_size: A.
        outputs: 1, or the number of atoms.
    """

    def __init__(
        self,
        inputs: int,
        hidden: tuple[int, ...],
        members: int,
        tasks: int,
        action_size: int,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        lead = (members, tasks)
        self._outputs = outputs
        self.torso = BatchedTanhTorso((members, 1), inputs, hidden[0])
        joined = hidden[0] + action_size
        self.join_state = BatchedLinear(lead, hidden[0], hidden[1])
        self.join_action = BatchedLinear(lead, action_size, hidden[1], bias=False)
        with torch.no_grad():  # as one layer over both would be initialised
            for parameter in (*self.join_state.parameters(), self.join_action.weight):
                parameter.uniform_(-(joined**-0.5), joined**-0.5)
        self.heads = BatchedMLP(lead, hidden[1], hidden[2:], outputs)

    def forward(self, encoded: Tensor, actions: Tensor) -> Tensor:
        """Q of states (B, inputs) and actions (N, K, B, A) or (N, 1, B, A).

        Shape (E, N, K, B), or (E, N, K, B, M) for M > 1 outputs. Actions are clipped to [-1, 1],
        as the cell does.
        """
        count, _, batch, _ = actions.shape
        state = self.join_state(self.torso(encoded))  # (E, K, B, H)
        # (K, N B, A): the samples are rows of one matrix product.
        rows = actions.clamp(-1, 1).transpose(0, 1).flatten(1, 2)
        joined = self.join_action(rows).unflatten(2, (count, batch)) + state[:, :, None]
        y = self.heads(elu(joined).flatten(2, 3)).unflatten(2, (count, batch)).transpose(1, 2)
        return y[..., 0] if self._outputs == 1 else y


class StateValue(nn.Module):
    """V(s) of K tasks, for implicit Q-learning: (B, inputs) to (K, B)."""

    def __init__(self, inputs: int, hidden: tuple[int, ...], tasks: int) -> None:
        super().__init__()
        self.torso = BatchedTanhTorso((), inputs, hidden[0])
        self.heads = BatchedMLP((tasks,), hidden[0], hidden[1:], 1)

    def forward(self, encoded: Tensor) -> Tensor:
        """Map (B, inputs) to (K, B)."""
        return self.heads(self.torso(encoded))[..., 0]
