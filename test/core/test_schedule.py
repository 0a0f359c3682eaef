from collections import Counter

import pytest

from chef_cell.core.schedule import ScheduleError, SessionPlan, episode_seed, queue, read_triplets


def test_every_policy_meets_every_triplet_equally_often():
    episodes = queue(SessionPlan(('1', '3'), ('a', 'b'), episodes=4))

    counts = Counter((episode.triplet, episode.policy) for episode in episodes)
    assert set(counts.values()) == {4}
    assert len(counts) == 4
    assert [episode.index for episode in episodes] == list(range(16))


def test_policies_meet_the_same_seeds():
    episodes = queue(SessionPlan(('1', '2'), ('a', 'b', 'c'), episodes=5, seed=7))

    seeds = {
        policy: [(e.triplet, e.seed) for e in episodes if e.policy == policy] for policy in 'abc'
    }
    assert seeds['a'] == seeds['b'] == seeds['c']
    assert len({seed for _, seed in seeds['a']}) == 10


def test_a_session_cut_short_is_balanced():
    episodes = queue(SessionPlan(('1', '2'), ('a', 'b'), episodes=10))

    for stop in range(1, len(episodes)):
        counts = Counter((e.triplet, e.policy) for e in episodes[:stop])
        assert max(counts.values()) - min(counts.get(k, 0) for k in counts) <= 1


def test_no_policy_always_goes_first():
    episodes = queue(SessionPlan(('1',), ('a', 'b'), episodes=2))

    assert [episode.policy for episode in episodes] == ['a', 'b', 'b', 'a']


def test_seeds_do_not_depend_on_the_rest_of_the_session():
    alone = queue(SessionPlan(('3',), ('a',), episodes=2, seed=1))
    among = queue(SessionPlan(('1', '3'), ('a', 'b'), episodes=2, seed=1))

    assert [e.seed for e in alone] == [
        e.seed for e in among if e.triplet == '3' and e.policy == 'a'
    ]


def test_seeds_are_the_same_on_every_machine():
    assert episode_seed(0, '3', 0) == 2312458301
    assert 0 <= episode_seed(2**63, 'a,b,c', 10**6) < 2**32


def test_objects_by_name_are_a_triplet():
    assert queue(SessionPlan(('r1,g2,b3',), ('a',)))[0].triplet == 'r1,g2,b3'


@pytest.mark.parametrize(
    ('text', 'triplets'),
    [('3', ('3',)), ('1,4', ('1', '4')), ('r1,g2,b3', ('r1,g2,b3',)), ('9', ('9',))],
)
def test_triplets_are_read_from_one_word(text, triplets):
    assert read_triplets(text) == triplets


@pytest.mark.parametrize('triplet', ['0', '6', '', 'a,b', 'a,,b', 'a,b,c,d', '12'])
def test_an_unknown_triplet_is_named_with_what_is_allowed(triplet):
    with pytest.raises(ScheduleError, match='allowed: 1, 2, 3, 4, 5'):
        SessionPlan((triplet,), ('a',))


@pytest.mark.parametrize(
    'wrong',
    [
        {'triplets': ()},
        {'policies': ()},
        {'episodes': 0},
        {'seed': -1},
    ],
)
def test_an_impossible_plan_is_refused(wrong):
    with pytest.raises(ScheduleError):
        SessionPlan(**{'triplets': ('1',), 'policies': ('a',), **wrong})
