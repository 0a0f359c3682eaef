"""Whatever number an index or a message says, no data outside its chunk is read."""

import struct
from pathlib import Path

import pytest
from mcap.reader import make_reader
from recorded import JOINTS

from chef_trainer.episodes import EpisodeFileError, EpisodeReader
from chef_trainer.episodes.index import INDEX_HEADER, MESSAGE


@pytest.mark.parametrize('number', [2**63 - 10, 2**63 + 58, 2**64 - 1])
@pytest.mark.parametrize('place', ['chunk', 'entry', 'length'])
def test_no_number_is_too_large_to_be_refused(episode: Path, place: str, number: int) -> None:
    with episode.open('rb') as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    (chunk,) = summary.chunk_indexes
    ids = {channel.topic: number for number, channel in summary.channels.items()}
    begin_and_size = struct.pack('<QQ', chunk.chunk_start_offset, chunk.chunk_length)
    message = int(EpisodeReader(episode).index(JOINTS).offset[0]) - MESSAGE.itemsize
    at = {
        'chunk': episode.read_bytes().index(begin_and_size),
        'entry': chunk.message_index_offsets[ids[JOINTS]] + INDEX_HEADER + 8,  # after its time
        'length': message + 1,  # after its opcode
    }
    with episode.open('r+b') as stream:
        stream.seek(at[place])
        stream.write(struct.pack('<Q', number))
    with pytest.raises(EpisodeFileError, match=r'chunk|index does not point'):
        EpisodeReader(episode).index(JOINTS)
