"""The table: name -> method. Where papers and their code differ, the choice is said here.

General choices: one optimiser step per update for all networks, from losses of the same
parameters (IQL's code steps V, policy and Q in turn); improvement at the states where the data was
taken (Acme's MPO uses the next ones, to save an evaluation); one policy head for all: that of the
released RGB-stacking policies, with state-dependent deviations (IQL and AWAC had global ones). The
expectation over the target policy is a mean over `samples` actions (Acme's CRR takes one).
"""

import dataclasses

from chef_trainer.methods.method import Evaluation, Method, Proposals, Weighting
from chef_trainer.methods.schedule import ALWAYS, HALF, Schedule, schedule

_BC = Method()

# Wang et al. (2020) with a distributional critic as in the paper (Acme's is scalar), n-step
# returns as CHEF (Lee et al., 2022), copied targets, temperature 1, cap 20 (Acme).
_CRR = Method(
    evaluation=Evaluation.EXPECTED,
    weighting=Weighting.EXPONENTIAL,
    samples=4,
    atoms=51,
    n_step=5,
    target_period=100,
    target_rate=1.0,
)

# Abdolmaleki et al. (2018); constants of Acme's agent: 20 samples, 5-step returns, targets
# copied every 100 updates. Acme tunes eps_mean 0.01 and rate 3e-4 for the control suite.
_MPO = Method(
    proposals=Proposals.POLICY,
    weighting=Weighting.SAMPLES,
    evaluation=Evaluation.EXPECTED,
    temperature=None,
    samples=20,
    target_weights=True,
    trust_region=True,
    atoms=51,
    n_step=5,
    learning_rate=1e-4,
    target_period=100,
    target_rate=1.0,
    online_share=ALWAYS,
)

METHODS = {
    'bc': _BC,
    # Coverage is lost with the failures: CHEF saw filtering help imitation and ruin RL.
    'filtered_bc': dataclasses.replace(_BC, successes_only=True),
    'dagger': Method(proposals=Proposals.TEACHER, online_share=ALWAYS),
    'dagger_mixed': Method(proposals=Proposals.TEACHER, online_share=HALF),
    'crr': _CRR,
    'crr_binary': dataclasses.replace(_CRR, weighting=Weighting.BINARY),
    'crr_mixed': dataclasses.replace(_CRR, online_share=HALF),
    # Nair et al. (2020): weights as its code has them (see `improvement.batch_softmax`); the
    # advantage against one action of the policy; schedules of "How to Spend Your Robot Time".
    'awac': Method(
        evaluation=Evaluation.EXPECTED,
        weighting=Weighting.BATCH,
        members=2,
        temperature=Schedule(((400e3, 1.0), (500e3, 0.1))),
        online_share=Schedule(((500e3, 0.0), (1100e3, 0.8))),
        weight_decay=1e-4,
        batch=1024,
    ),
    # Kostrikov et al. (2022), settings of locomotion. The temperature is that of rlkit, the
    # inverse of the paper's beta = 3; eq. 49 of the thesis is to be maximised, so it is negated.
    'iql': Method(
        evaluation=Evaluation.EXPECTILE,
        weighting=Weighting.EXPONENTIAL,
        temperature=schedule(1 / 3),
        weight_cap=100.0,
        members=2,
        cosine=True,
    ),
    'mpo': _MPO,
    'r_mpo': dataclasses.replace(_MPO, teacher_share=0.1, online_share=HALF),
    'r_crr': dataclasses.replace(_CRR, teacher_share=0.75, online_share=HALF),
    # As R-CRR with the target policy in the place of the data. Its share of the teacher is not
    # published: R-CRR's. The weights are the exponential ones of the paper's table.
    'r_crr_target': dataclasses.replace(
        _CRR, proposals=Proposals.POLICY, teacher_share=0.75, online_share=HALF
    ),
    # Fujimoto et al. (2018). The discrete gripper is summed over, see `losses.pathwise`.
    'td3': Method(
        proposals=Proposals.PATHWISE,
        evaluation=Evaluation.CLIPPED,
        members=2,
        exploration=0.1,
        policy_period=2,
        online_share=ALWAYS,
    ),
    # Haarnoja et al. (2018b), target entropy -dim(A), rates of the paper (rlkit: 1e-3).
    'sac': Method(
        proposals=Proposals.PATHWISE,
        evaluation=Evaluation.SOFT,
        members=2,
        temperature=None,
        squashed=True,
        dual_rate=3e-4,
        online_share=ALWAYS,
    ),
}


def method(name: str) -> Method:
    """Return the row `name`; raises ValueError naming those there are."""
    if name not in METHODS:
        raise ValueError(f'method {name!r} is unknown, there are: {", ".join(METHODS)}')
    return METHODS[name]
