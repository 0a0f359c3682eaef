"""Which images belong together."""

from chef_cell.core.image_sets import ImageSets

MS = 1_000_000
CAMERAS = ('a', 'b', 'c')


def gathered(sets, *images):
    """Put (camera, ms) in turn; return the sets that were completed, as {camera: ms}."""
    found = [sets.put(camera, ms * MS, ms) for camera, ms in images]
    return [(stamp // MS, images) for stamp, images in filter(None, found)]


def test_in_lockstep_a_set_has_one_stamp():
    sets = ImageSets(CAMERAS, 0.0, float('inf'), 0.0)
    assert gathered(sets, ('a', 0), ('b', 0)) == []
    assert gathered(sets, ('c', 0)) == [(0, {'a': 0, 'b': 0, 'c': 0})]
    # An image that came before the others of its instant waits for them.
    assert gathered(sets, ('c', 50), ('a', 50), ('b', 50)) == [(50, {'a': 50, 'b': 50, 'c': 50})]
    assert gathered(sets, ('a', 100), ('b', 100), ('a', 9000)) == []


def test_cameras_that_run_freely_are_matched_within_the_tolerance():
    sets = ImageSets(CAMERAS, 0.03, 0.2, 0.04)
    found = gathered(sets, ('a', 0), ('b', 10), ('c', 25), ('a', 50), ('b', 60), ('c', 75))
    assert found == [(25, {'a': 0, 'b': 10, 'c': 25}), (75, {'a': 50, 'b': 60, 'c': 75})]
    # Too far apart: the later image of the early camera makes the set.
    assert gathered(sets, ('a', 100), ('b', 140), ('c', 145), ('a', 150)) == [
        (150, {'a': 150, 'b': 140, 'c': 145})
    ]


def test_a_camera_that_falls_silent_is_left_out_and_comes_back():
    sets = ImageSets(CAMERAS, 0.03, 0.2, 0.04)
    gathered(sets, *((camera, 0) for camera in CAMERAS))
    both = [(camera, ms) for ms in range(50, 301, 50) for camera in ('a', 'b')]
    found = gathered(sets, *both)
    assert [stamp for stamp, _ in found] == [250, 300]
    assert found[-1][1] == {'a': 300, 'b': 300}
    assert sets.missing == ('c',)
    assert gathered(sets, ('c', 340), ('a', 350), ('b', 350)) == [
        (350, {'a': 350, 'b': 350, 'c': 340})
    ]
    assert sets.missing == ()


def test_a_camera_that_never_spoke_is_missing_after_a_while():
    sets = ImageSets(('a', 'b'), 0.03, 0.2, 0.0)
    found = gathered(sets, *(('a', ms) for ms in range(0, 301, 50)))
    assert found == [(250, {'a': 250}), (300, {'a': 300})]


def test_sets_come_no_faster_than_asked():
    sets = ImageSets(('a',), 0.03, 0.2, 0.045)
    found = gathered(sets, *(('a', ms) for ms in range(0, 200, 16)))
    assert [stamp for stamp, _ in found] == [0, 48, 96, 144, 192]


def test_a_clock_that_is_set_back_begins_anew():
    sets = ImageSets(('a', 'b'), 0.0, 0.2, 0.0)
    assert gathered(sets, ('a', 5000), ('b', 5000), ('a', 10), ('b', 10)) == [
        (5000, {'a': 5000, 'b': 5000}),
        (10, {'a': 10, 'b': 10}),
    ]
