"""The directory of one training run: what is where, and whose it is."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

from chef_trainer import policy_file
from chef_trainer.errors import RunError
from chef_trainer.learner.settings import TrainSettings, from_dict, to_dict
from chef_trainer.replay.dataset import Dataset
from chef_trainer.rollouts.collect import Rollout
from chef_trainer.rollouts.episode import find_rollouts
from chef_trainer.rollouts.memory import Memory
from chef_trainer.run_directory import claim, read_claim, software
from chef_trainer.spec import CELL_ACTION, ObservationSpec, PolicySpec, longest
from chef_trainer.task.rewards import REWARD_NAMES

Progress = Callable[[int, int], None]
#: Settings that do not change the result.
FREE = ('device', 'compiled', 'log_every', 'save_every', 'keep_every')
#: Settings that runs of before they existed are without, and what held for them.
NEWER = {'settings': {'action': dataclasses.asdict(CELL_ACTION), 'rate_hz': 20.0}}


@dataclasses.dataclass(frozen=True)
class TrainRun:
    """Where a training run is carried out.

    run.json                 the settings, and what the data was
    checkpoint.safetensors   networks, targets, optimisers, update
    curves.jsonl             every curve, a line per `log_every` updates
    curves.png               the same, drawn
    events.out.tfevents.*    the same for TensorBoard
    policies/<round>.onnx    what collected a round's episodes
    kept/<update>.onnx       what was kept from the way, see `keep_every`
    online/<round>/*.npz     those episodes
    """

    settings: TrainSettings
    directory: Path

    @property
    def checkpoint(self) -> Path:
        """Newest state of the learner."""
        return self.directory / 'checkpoint.safetensors'

    @property
    def curves(self) -> Path:
        """All numbers that were logged."""
        return self.directory / 'curves.jsonl'

    @property
    def plot(self) -> Path:
        """The curves as an image."""
        return self.directory / 'curves.png'

    def policy(self, number: int) -> Path:
        """Policy file that collects a round."""
        return self.directory / 'policies' / f'{number:04d}.onnx'

    def kept(self, update: int) -> Path:
        """Policy file kept from the way."""
        return self.directory / 'kept' / f'{update:08d}.onnx'

    @functools.cached_property
    def recorded(self) -> tuple[ObservationSpec, ...]:
        """What episodes must hold: what the networks see, and what a teacher does.

        Raises:
            PolicyFileError: the teacher is not a policy file.
            SpecError: the teacher means something else by the name of an observation.
        """
        seen, teacher = self.settings.seen, self.settings.teacher
        if not (teacher and self.settings.row.has_teacher):
            return seen
        return longest((*seen, *policy_file.read_spec(teacher).observations))

    def claim(self, data_sha256: str) -> None:
        """Take the directory for these settings and data, or go on in it.

        Raises:
            RunError: it holds another run, or the data has changed.
        """
        ours = {'settings': to_dict(self.settings), 'data_sha256': data_sha256}
        claim(self.directory / 'run.json', ours, ignored=FREE, newer=NEWER)

    def open_dataset(self, progress: Progress = lambda done, total: None) -> Dataset | Memory:
        """Open the data: episode files of the cell, or folders of rollouts (.npz).

        Raises:
            RunError: there is nothing to learn from.
            EpisodeFileError: a path does not exist.
        """
        paths = [Path(path) for path in self.settings.data]
        successes = self.settings.row.successes_only
        dataset: Dataset | Memory
        if find_rollouts(path for path in paths if path.is_dir()):
            dataset = Memory.open(paths, successes, progress)
            self._check(dataset)
        else:
            dataset = Dataset.open(
                paths,
                self.recorded,
                select=lambda metadata: bool(metadata.get('success')) or not successes,
                progress=progress,
            )
        if not len(dataset):
            what = 'successful episode' if successes else 'usable episode'
            refused = getattr(dataset, 'refused', [])
            why = f'; {len(refused)} files refused, first: {refused[0]}' if refused else ''
            raise RunError(f'{[*self.settings.data]}: no {what} to learn from{why}')
        return dataset

    def _check(self, memory: Memory) -> None:
        """Raise RunError unless rollouts hold what is needed of them."""
        for one in self.recorded if len(memory) else ():
            shape = memory.shapes.get(one.name, ())
            longer = bool(shape) and shape[1:] == one.shape and shape[0] >= one.history
            if shape != one.stacked_shape and not longer:
                raise RunError(
                    f'{[*self.settings.data]}: the run needs {one.name} {one.stacked_shape}, '
                    f'the episodes have {memory.shapes}'
                )

    def columns(self, dataset: Dataset | Memory) -> list[int]:
        """Return where the tasks' rewards stand; raises RunError naming those there are."""
        available = dataset.tasks if isinstance(dataset, Memory) else REWARD_NAMES
        unknown = sorted(set(self.settings.tasks) - set(available))
        if unknown:
            raise RunError(f'tasks {unknown} have no rewards in the data, which has {available}')
        return [available.index(task) for task in self.settings.tasks]

    def rounds(self) -> list[range]:
        """Return the updates of every round; without online episodes there is one."""
        online, updates = self.settings.online, self.settings.updates
        size = online.updates if online and self.settings.row.is_online else updates
        return [range(begin, min(begin + size, updates)) for begin in range(0, updates, size)]

    def rollouts(self, number: int) -> list[Rollout]:
        """Return the episodes of a round; none before the method asks for any."""
        online, share = self.settings.online, self.settings.row.online_share
        if online is None or not any(map(share, self.rounds()[number])):
            return []
        return [
            Rollout(
                entry=online.env,
                triplet=triplet,
                seed=(self.settings.seed * 1000 + number) * 1000 + index,
                policy=str(self.policy(number)),
                sampled=True,
                observations=self.recorded,
                tasks=self.settings.tasks,
                target=self.directory / f'online/{number:04d}/{triplet}_{index:04d}.npz',
            )
            for index in range(online.episodes)
            for triplet in online.triplets
        ]

    def spec(self, update: int) -> PolicySpec:
        """Return the spec of the policy after `update`, with where it comes from."""
        settings = self.settings
        provenance = {
            'method': settings.method,
            'change': settings.change,
            'updates': update,
            'seed': settings.seed,
            'data': [Path(path).name for path in settings.data],
            'data_sha256': read_claim(self.directory / 'run.json')['data_sha256'],
            'software': software(),
        }
        if settings.teacher:
            provenance['teacher_sha256'] = policy_file.sha256(settings.teacher)
        return PolicySpec(
            name=settings.name,
            observations=settings.observations,
            action=settings.action,
            rate_hz=settings.rate_hz,
            tasks=settings.tasks[:1],
            triplets=settings.triplets,
            provenance=provenance,
        )


def open_train_run(directory: Path) -> TrainRun:
    """Return the run in `directory`; raises RunError or SettingsError."""
    return TrainRun(from_dict(read_claim(directory / 'run.json')['settings']), directory)


def digest(dataset: Dataset | Memory | None) -> str:
    """Return what tells one data set from another: its numbers, or its episodes."""
    if isinstance(dataset, Memory):
        return dataset.sha256
    value = hashlib.sha256()
    for episode in dataset.episodes if dataset else ():
        name = episode.metadata.get('episode_id', episode.path.name)
        value.update(f'{name} {episode.steps} {episode.path.stat().st_size}\n'.encode())
    return value.hexdigest()
