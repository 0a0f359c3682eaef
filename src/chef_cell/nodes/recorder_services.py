"""What a person may ask of the recorder: pause, mark, discard, label."""

import glob
from pathlib import Path
from typing import Protocol

from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from chef_cell.nodes import ros
from chef_interfaces.srv import LabelEpisode
from chef_trainer.episodes import EpisodeFileError, Label, add_label
from chef_trainer.episodes.labels import now

_JUDGEMENTS = {
    LabelEpisode.Request.KEEP: None,
    LabelEpisode.Request.SUCCESS: True,
    LabelEpisode.Request.FAILURE: False,
}


class Desk(Protocol):
    """Who does what is asked."""

    newest_id: str  # of the episode that is recorded, or was last
    directory: Path  # of all sessions

    def set_paused(self, paused: bool) -> None:
        """Leave out samples, or no longer."""

    def discard(self) -> str:
        """Delete the episode being recorded; return its id, empty if there is none."""

    def label(self, episode_id: str, label: Label) -> Path | None:
        """Label the episode if it is being recorded; return its file, None if it is not."""


class RecorderServices:
    """Serves `recorder/{pause,mark,discard}` and `label_episode` on `node`, for `desk`."""

    def __init__(self, node: Node, desk: Desk) -> None:
        self._desk = desk
        self._notes = node.create_publisher(String, 'notes', ros.COMMAND_QOS)
        node.create_service(SetBool, 'recorder/pause', self._on_pause)
        node.create_service(Trigger, 'recorder/mark', self._on_mark)
        node.create_service(Trigger, 'recorder/discard', self._on_discard)
        node.create_service(LabelEpisode, 'label_episode', self._on_label)

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._desk.set_paused(request.data)
        response.success = True
        return response

    def _on_mark(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._notes.publish(String(data='mark'))
        response.success = True
        return response

    def _on_discard(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.message = self._desk.discard()
        response.success = bool(response.message)
        response.message = response.message or 'no episode is being recorded'
        return response

    def _on_label(
        self, request: LabelEpisode.Request, response: LabelEpisode.Response
    ) -> LabelEpisode.Response:
        try:
            response.path = str(self._label(request))
            response.accepted = True
        except (EpisodeFileError, OSError, ValueError) as error:
            response.message = str(error)
        return response

    def _label(self, request: LabelEpisode.Request) -> Path:
        if request.judgement not in _JUDGEMENTS:
            raise ValueError(f'judgement {request.judgement}, allowed: {sorted(_JUDGEMENTS)}')
        label = Label(
            author=request.author,
            time=now(),
            success=_JUDGEMENTS[request.judgement],
            marks=tuple(request.marks),
            clear_marks=request.clear_marks,
            note=request.note,
        )
        if label.empty:
            raise ValueError('the label says nothing: give a judgement, marks or a note')
        episode = request.episode_id or self._desk.newest_id
        if path := self._desk.label(episode, label):
            if label.note:
                self._notes.publish(String(data=label.note))  # the file keeps the moment, too
            return path
        return add_label(self._find(episode), label)

    def _find(self, episode: str) -> Path:
        pattern = f'*_{glob.escape(episode)}.mcap'
        found = [
            path
            for path in self._desk.directory.glob(f'*/*/{pattern}')
            if path.stem.partition('_')[2] == episode  # after its place in the session
        ]
        if not episode or len(found) != 1:
            raise ValueError(
                f'{len(found)} episodes {episode!r} below {self._desk.directory}, expected 1'
            )
        return found[0]
