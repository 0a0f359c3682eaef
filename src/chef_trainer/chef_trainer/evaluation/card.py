"""The model card: what a policy is, where it comes from, what it reaches."""

from collections.abc import Sequence
from pathlib import Path

from chef_trainer import policy_file
from chef_trainer.evaluation.statistics import Summary
from chef_trainer.evaluation.table import markdown, markdown_rows, subtasks


def write_card(
    path: Path,
    policy: Path,
    summaries: Sequence[Summary] = (),
    force_limit: float = 20.0,
    command: str = '',
) -> None:
    """Write the card of `policy` to `path`; the part after `NOTES` in an older card is kept.

    Without `summaries` it says that nothing was measured yet.
    """
    spec = policy_file.read_spec(policy)
    old = path.read_text() if path.exists() else ''
    _, heading, notes = old.partition(NOTES)
    inputs = ''.join(
        f'| {item.name} | {item.stacked_shape} | {item.unit} | {item.dtype} |\n'
        for item in spec.observations
    )
    provenance = ''.join(f'- {key}: {value}\n' for key, value in spec.provenance.items())
    success = 'Not measured yet: `chef-train evaluate`.\n'
    if summaries:
        success = _success(spec.tasks, summaries, force_limit, command)
    text = (
        f'# {spec.name}\n\n'
        f'`{policy.name}`, {policy.stat().st_size / 1e6:.1f} MB, '
        f'sha256 `{policy_file.sha256(policy)}`. '
        f'Triplets {", ".join(spec.triplets)} at {spec.rate_hz:.0f} Hz.\n\n'
        f'## Success\n\n{success}\n'
        f'## Training\n\n{provenance}\n'
        f'## Inputs\n\n| name | shape | unit | type |\n| --- | --- | --- | --- |\n{inputs}\n'
        f'{heading or NOTES}{notes}'
    )
    with policy_file.replacing(path) as temporary:
        temporary.write_text(text)


def _success(
    tasks: Sequence[str], summaries: Sequence[Summary], force_limit: float, command: str
) -> str:
    stages = subtasks(summaries)
    reached = f'Sub-tasks solved at some step:\n\n{markdown_rows(stages)}\n' if stages else ''
    force_columns = 'the last columns show the median peak force and who exceeds the limit'
    return (
        f'Success: the sub-task {" and ".join(tasks)} is solved at the last step. '
        f'Under the {force_limit:.0f} N rule an episode whose wrist force exceeds the limit '
        f'fails; {force_columns}. Shares are in %, in brackets: 95 % Wilson intervals. All '
        f'candidates met the same scenes, none of which was seen in training.\n\n'
        f'{markdown(summaries, force_limit)}\n{reached}'
        f'Measured with `{command}`.\n'
    )


NOTES = '## Notes\n'
