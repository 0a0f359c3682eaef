"""The directory of one distillation run: what is where, and whose it is."""

import dataclasses
from pathlib import Path

from chef_trainer import policy_file
from chef_trainer.distillation.collect import Collection
from chef_trainer.distillation.recipe import Recipe, from_dict
from chef_trainer.distillation.teachers import Teachers
from chef_trainer.errors import RunError
from chef_trainer.run_directory import claim, read_claim, software
from chef_trainer.spec import PolicySpec


@dataclasses.dataclass(frozen=True)
class Run:
    """Where a recipe is carried out.

    run.json                          recipe, environment and teachers
    episodes/<iteration>/<triplet>_<index>.npz
    students/<iteration>.onnx         what drives the next iteration
    checkpoint.safetensors            network, optimiser, step
    log.jsonl                         one line per 100 updates and per iteration
    """

    recipe: Recipe
    directory: Path
    entry: str  # environment, module:attribute
    teachers: Path  # holds triplet<name>.npz

    @property
    def checkpoint(self) -> Path:
        """Newest state of the learner."""
        return self.directory / 'checkpoint.safetensors'

    @property
    def log(self) -> Path:
        """Curves."""
        return self.directory / 'log.jsonl'

    def student(self, iteration: int) -> Path:
        """Policy file at the end of an iteration."""
        return self.directory / 'students' / f'{iteration:02d}.onnx'

    def load_teachers(self) -> Teachers:
        """Load the teachers in the order of the recipe's triplets."""
        return Teachers([self.teacher(triplet) for triplet in self.recipe.episodes])

    def episodes(self, iteration: int) -> list[tuple[Path, int]]:
        """Return the files of an iteration, each with its task's number."""
        tasks = list(self.recipe.episodes)
        jobs = self.collections(iteration)
        return [(job.target, tasks.index(job.triplet)) for job in jobs]

    def teacher(self, triplet: str) -> Path:
        """Weights of the released policy for a triplet."""
        return self.teachers / f'triplet{triplet}.npz'

    def claim(self) -> None:
        """Take the directory for this recipe, or go on in it.

        Raises:
            RunError: it holds a run of another recipe, or a teacher is missing.
        """
        for triplet in self.recipe.episodes:
            if not self.teacher(triplet).is_file():
                raise RunError(f'{self.teacher(triplet)}: no teacher for triplet {triplet}')
        claim(self._file, dataclasses.asdict(self), ignored=('directory', 'teachers'))

    @property
    def _file(self) -> Path:
        return self.directory / 'run.json'

    def collections(self, iteration: int) -> list[Collection]:
        """Return the episodes of an iteration."""
        settings = self.recipe.iterations[iteration]
        jobs = []
        for triplet, episodes in self.recipe.episodes.items():
            count = max(1, round(episodes * settings.scale))
            for index in range(count):
                jobs.append(
                    Collection(
                        entry=self.entry,
                        triplet=triplet,
                        seed=(self.recipe.seed * 100 + iteration) * 1000 + index,
                        teacher=str(self.teacher(triplet)),
                        student=str(self.student(iteration - 1)),
                        teacher_share=settings.teacher_share,
                        segment=self.recipe.segment,
                        sampled=index < count * self.recipe.sampled_share,
                        observations=self.recipe.observations,
                        target=self.directory
                        / f'episodes/{iteration:02d}/{triplet}_{index:04d}.npz',
                    )
                )
        return jobs

    def spec(self, iteration: int, data_sha256: str) -> PolicySpec:
        """Return the spec of the student after an iteration, with where it comes from."""
        counts = {
            triplet: sum(
                job.triplet == triplet
                for index in range(iteration + 1)
                for job in self.collections(index)
            )
            for triplet in self.recipe.episodes
        }
        return PolicySpec(
            name=self.recipe.name,
            observations=self.recipe.observations,
            triplets=tuple(self.recipe.episodes),
            provenance={
                'method': 'DAgger by KL(teacher || student), states moved and mixed'
                + (', hints from hidden layers' if self.recipe.hints else ''),
                'command': f'chef-train distill {self.recipe.name}.yaml --env {self.entry} '
                '--teachers TEACHERS --run RUN --out OUT',
                'environment': self.entry,
                'episodes': counts,
                'data_sha256': data_sha256,
                'teachers_sha256': {t: policy_file.sha256(self.teacher(t)) for t in counts},
                'iterations': iteration + 1,
                'updates': sum(one.updates for one in self.recipe.iterations[: iteration + 1]),
                'learning_rate': self.recipe.learning_rate,
                'batch': self.recipe.batch,
                'seed': self.recipe.seed,
                'software': software(),
            },
        )


def open_run(directory: Path) -> Run:
    """Return the run that was carried out in `directory`; raises RunError if there is none."""
    values = read_claim(directory / 'run.json')
    return Run(from_dict(values['recipe']), directory, values['entry'], Path(values['teachers']))
