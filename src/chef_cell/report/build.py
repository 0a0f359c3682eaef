"""Make the report folder of a session: one HTML page, with plots, contact sheets and videos."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import jinja2
import numpy as np

from chef_cell.core.results import EpisodeResult, SessionResult, summarise, wilson_interval
from chef_cell.core.safety import SafetySettings
from chef_cell.core.timing import PeriodSummary
from chef_cell.core.timing import summarise as summarise_periods
from chef_cell.report import contents, pictures, plots
from chef_trainer.episodes import EpisodeFileError

Progress = Callable[[int, int, str], None]


@dataclasses.dataclass(frozen=True)
class EpisodeSection:
    """One episode on the page; file names are relative to the page, empty where there is none."""

    result: EpisodeResult
    plot: str = ''
    sheet: str = ''
    video: str = ''
    problem: str = ''  # why nothing can be shown
    dropped: int = 0  # messages missing in the file
    marks: tuple[str, ...] = ()  # why not to use it without a look
    periods: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))  # ms
    force_limit: float = SafetySettings().force_limit  # N


def load(folder: Path) -> SessionResult:
    """Read `session.json`; raises OSError, or ResultsError naming what is wrong with it."""
    return SessionResult.from_json((folder / 'session.json').read_text(encoding='utf-8'))


def build(folder: Path, progress: Progress = lambda done, total, what: None) -> Path:
    """Write `<folder>/report/`; return its index.html.

    An episode without a file, or with a damaged one, gets a section that says so.

    Args:
        folder: the session's folder, with `session.json`.
        progress: called with the steps done, all steps, and what is done next.

    Raises:
        OSError: the folder cannot be read or written.
        ResultsError: `session.json` is malformed.
    """
    session = load(folder)
    target = folder / 'report'
    target.mkdir(exist_ok=True)
    total = len(session.episodes) + 1
    sections = []
    for done, episode in enumerate(session.episodes):
        progress(done, total, f'episode {episode.index}')
        sections.append(_section(folder, target, episode))
    progress(total - 1, total, 'session')
    figures = _session_plots(session, sections, target)
    page = target / 'index.html'
    page.write_text(_render(session, sections, figures), encoding='utf-8')
    progress(total, total, 'done')
    return page


def _section(folder: Path, target: Path, result: EpisodeResult) -> EpisodeSection:
    if not result.file:
        return EpisodeSection(result, problem='not recorded')
    try:
        episode = contents.read(folder / result.file)
        return _draw(episode, target, result)
    except EpisodeFileError as error:
        return EpisodeSection(result, problem=str(error))


def _draw(episode: contents.Contents, target: Path, result: EpisodeResult) -> EpisodeSection:
    name = f'{result.index:04d}'
    metadata = episode.metadata
    default = SafetySettings().force_limit
    limit = metadata.get('limits', {}).get('safety', {}).get('force_limit', default)
    plots.episode_plot(episode, limit, target / f'{name}.svg')
    if episode.cameras:
        pictures.contact_sheet(episode, target / f'{name}.jpg')
        pictures.video(episode, target / f'{name}.mp4', _caption(episode, result))
    return EpisodeSection(
        result,
        plot=f'{name}.svg',
        sheet=f'{name}.jpg' if episode.cameras else '',
        video=f'{name}.mp4' if episode.cameras else '',
        dropped=metadata.get('dropped', 0),
        marks=tuple(metadata.get('marks', ())),
        periods=episode.period,
        force_limit=limit,
    )


def _caption(episode: contents.Contents, result: EpisodeResult) -> Callable[[float], str]:
    force = episode.force

    def caption(time: float) -> str:
        text = f'episode {result.index}   triplet {result.triplet}   {time:5.2f} s'
        if force:
            index = max(int(np.searchsorted(force.time, time, side='right')) - 1, 0)
            text += f'   {force.values[index]:4.1f} N'
        return text

    return caption


def _session_plots(
    session: SessionResult, sections: list[EpisodeSection], target: Path
) -> dict[str, str]:
    """Draw what there is data for; return title -> file name."""
    figures = {}
    if session.episodes:
        plots.success_over_session(session.episodes, target / 'success.svg')
        figures['Success so far'] = 'success.svg'
        limit = min(section.force_limit for section in sections)
        plots.force_histogram(session.episodes, limit, target / 'force.svg')
        figures['Peak wrist force'] = 'force.svg'
    periods = _periods(sections)
    if len(periods):
        plots.period_histogram(periods, target / 'period.svg')
        figures['Control period'] = 'period.svg'
    return figures


def _render(
    session: SessionResult, sections: list[EpisodeSection], figures: dict[str, str]
) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader('chef_cell.report', '.'),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    successes = sum(episode.success for episode in session.episodes)
    return environment.get_template('page.html.j2').render(
        session=session,
        sections=sections,
        figures=figures,
        rows=summarise(session.episodes),
        successes=successes,
        interval=wilson_interval(successes, len(session.episodes)),
        timing=_timing(sections),
        dropped=sum(section.dropped for section in sections),
    )


def _periods(sections: list[EpisodeSection]) -> np.ndarray:
    return np.concatenate([section.periods for section in sections] or [np.empty(0)])


def _timing(sections: list[EpisodeSection]) -> PeriodSummary:
    """Periods in ms."""
    return summarise_periods(_periods(sections).tolist(), 0)
