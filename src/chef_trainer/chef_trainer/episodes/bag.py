"""rosbag2's description of a bag (`metadata.yaml`), so that `ros2 bag` opens episodes."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from chef_trainer.episodes.definitions import parse_definitions, short_name

#: Version of the metadata layout, as written by rosbag2 of Jazzy and later.
METADATA_VERSION = 9


@dataclasses.dataclass(frozen=True)
class Channel:
    """One topic of an episode file."""

    topic: str
    type_name: str  # 'geometry_msgs/msg/WrenchStamped'
    schema: str  # message definition with all it depends on, as in schema encoding 'ros2msg'
    qos: tuple[Mapping[str, Any], ...] = ()  # offered profiles, in rosbag2's words
    type_hash: str = ''  # 'RIHS01_...'

    @property
    def stamped(self) -> bool:
        """Whether messages begin with a std_msgs/Header."""
        fields = parse_definitions(self.type_name, self.schema)[short_name(self.type_name)]
        return bool(fields) and fields[0].type_name == 'std_msgs/Header' and not fields[0].is_array


@dataclasses.dataclass(frozen=True)
class BagContent:
    """What the one file of a bag holds."""

    file: str
    start_ns: int
    duration_ns: int
    counts: Mapping[str, int]  # topic -> messages
    channels: tuple[Channel, ...]
    custom: Mapping[str, str]
    ros_distro: str = ''


def bag_information(content: BagContent) -> dict[str, Any]:
    """Return the value of `rosbag2_bagfile_information`."""
    start = {'nanoseconds_since_epoch': content.start_ns}
    duration = {'nanoseconds': content.duration_ns}
    count = sum(content.counts.values())
    return {
        'version': METADATA_VERSION,
        'storage_identifier': 'mcap',
        'duration': duration,
        'starting_time': start,
        'message_count': count,
        'topics_with_message_count': [
            {
                'topic_metadata': {
                    'name': channel.topic,
                    'type': channel.type_name,
                    'serialization_format': 'cdr',
                    'offered_qos_profiles': list(channel.qos),
                    'type_description_hash': channel.type_hash,
                },
                'message_count': content.counts.get(channel.topic, 0),
            }
            for channel in content.channels
        ],
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [content.file],
        'files': [
            {
                'path': content.file,
                'starting_time': start,
                'duration': duration,
                'message_count': count,
            }
        ],
        'custom_data': dict(content.custom),
        'ros_distro': content.ros_distro,
    }


def to_yaml(value: Any, indent: int = 0) -> str:
    """Return block YAML for dictionaries, lists, strings, numbers and booleans.

    Scalars are written as JSON, which every YAML reader takes; so no YAML package is needed here.
    """
    pad = ' ' * indent
    if isinstance(value, Mapping) and value:
        return ''.join(f'{pad}{key}:{_child(item, indent)}' for key, item in value.items())
    if isinstance(value, list | tuple) and value:
        return ''.join(f'{pad}- {to_yaml(item, indent + 2).lstrip(" ")}' for item in value)
    return f'{pad}{json.dumps(value, ensure_ascii=False)}\n'


def _child(value: Any, indent: int) -> str:
    if isinstance(value, Mapping | list | tuple) and value:
        return '\n' + to_yaml(value, indent + 2)
    return ' ' + to_yaml(value)
