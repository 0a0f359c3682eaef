"""The FT 300's frames: what a good line carries, and what is left of a bad one."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chef_cell.drivers.ft300 import frames

#: A loaded machine is slow, and that is no fault of the decoder.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
COUNTS = st.lists(st.integers(-32768, 32767), min_size=6, max_size=6)
UNITS = np.array([0.01] * 3 + [0.001] * 3)
#: Bytes that begin no frame, so that what belongs to a frame can be said.
RUBBISH = st.binary(max_size=40).map(lambda data: data.replace(frames.HEADER[:1], b'.'))


def wrenches(decoded):
    return [np.rint(frame.wrench / UNITS).astype(int).tolist() for frame in decoded]


def test_a_frame_is_as_the_manual_says():
    """Header, six little-endian numbers, CRC-16 with its low byte first (0xA001, from 0xFFFF)."""
    frame = frames.encode(np.array([1.0, -1.0, 0.01, 0.001, 32.767, -0.002]))

    assert frame[:14] == bytes.fromhex('204e 6400 9cff 0100 0100 ff7f feff')
    crc = 0xFFFF
    for byte in frame[:14]:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    assert frame[14:] == crc.to_bytes(2, 'little')


def test_the_stream_is_asked_for_as_the_manual_says():
    assert frames.start_request() == bytes.fromhex('09 10 01 9a 00 01 02 02 00 cd ca')


def test_numbers_beyond_what_a_frame_can_say_are_clipped():
    (frame,) = frames.FrameDecoder().feed(frames.encode(np.array([1e6, -1e6, 0, 0, 0, 0])))
    assert frame.wrench[:2].tolist() == [327.67, -327.68]


@pytest.mark.parametrize(
    ('wrench', 'saturated'),
    [
        ([299.99, 0, 0, 0, 0, 0], False),
        ([0, -300.0, 0, 0, 0, 0], True),
        ([0, 0, 0, 0, 29.999, 0], False),
        ([0, 0, 0, 0, 0, 30.0], True),
    ],
)
def test_the_end_of_the_range_is_seen(wrench, saturated):
    (frame,) = frames.FrameDecoder().feed(frames.encode(np.array(wrench)))
    assert frame.saturated is saturated


@patiently
@given(st.lists(COUNTS, max_size=8), st.data())
def test_a_good_line_loses_nothing_however_its_bytes_come(counts, data):
    stream = b''.join(frames.encode(UNITS * numbers) for numbers in counts)
    decoder, found = frames.FrameDecoder(), []
    while stream:
        length = data.draw(st.integers(1, len(stream)))
        found += decoder.feed(stream[:length])
        stream = stream[length:]

    assert wrenches(found) == counts
    assert (decoder.crc_errors, decoder.resyncs, decoder.skipped) == (0, 0, 0)


@patiently
@given(st.lists(st.tuples(RUBBISH, COUNTS), max_size=6), st.integers(1, 50))
def test_every_whole_frame_is_found_among_rubbish(parts, length):
    stream = b''.join(rubbish + frames.encode(UNITS * numbers) for rubbish, numbers in parts)
    decoder, found = frames.FrameDecoder(), []
    for place in range(0, len(stream), length):
        found += decoder.feed(stream[place : place + length])

    assert wrenches(found) == [numbers for _, numbers in parts]
    assert decoder.skipped == sum(len(rubbish) for rubbish, _ in parts)
    assert decoder.resyncs == sum(bool(rubbish) for rubbish, _ in parts[1:])


# Not at random: one in 65536 check sums fits by chance.
@settings(patiently, derandomize=True)
@given(COUNTS, st.integers(1, frames.FRAME_LENGTH - 1), st.lists(COUNTS, min_size=1, max_size=3))
def test_a_truncated_frame_costs_no_other(cut, length, whole):
    stream = frames.encode(UNITS * cut)[:length]
    stream += b''.join(frames.encode(UNITS * numbers) for numbers in whole)

    assert wrenches(frames.FrameDecoder().feed(stream)) == whole


@patiently
@given(COUNTS, st.integers(0, 8 * frames.FRAME_LENGTH - 1), COUNTS)
def test_a_wrong_bit_is_never_a_measurement(numbers, bit, after):
    broken = bytearray(frames.encode(UNITS * numbers))
    broken[bit // 8] ^= 1 << bit % 8
    decoder = frames.FrameDecoder()
    decoder.feed(frames.encode(np.zeros(6)))

    assert wrenches(decoder.feed(broken + frames.encode(UNITS * after))) == [after]
    assert decoder.resyncs == 1
    assert decoder.crc_errors == (bit >= 16)  # in the header it is no frame at all


@patiently
@given(st.lists(st.binary(max_size=60), max_size=10))
def test_no_bytes_break_it_and_none_are_lost_count_of(pieces):
    decoder = frames.FrameDecoder()
    count = sum(len(decoder.feed(piece)) for piece in pieces)

    assert 1 <= decoder.missing <= frames.FRAME_LENGTH
    kept = frames.FRAME_LENGTH - decoder.missing
    total = sum(map(len, pieces))
    assert total == count * frames.FRAME_LENGTH + decoder.skipped + kept


def test_a_frame_knows_how_many_bytes_came_behind_it():
    """So that its age can be told where an adapter hands over several at once."""
    frame = frames.encode(np.zeros(6))
    found = frames.FrameDecoder().feed(3 * frame + frame[:5])

    assert [item.behind for item in found] == [37, 21, 5]


def test_a_port_opened_anew_begins_anew():
    decoder = frames.FrameDecoder()
    frame = frames.encode(np.zeros(6))
    decoder.feed(frame + frame[:9])
    decoder.restart()

    assert len(decoder.feed(b'rest' + frame)) == 1
    assert decoder.resyncs == 0
