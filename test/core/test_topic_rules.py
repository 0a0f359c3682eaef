"""One line of configuration per topic."""

import math

import pytest

from chef_cell.core.topic_rules import TopicRule, TopicRuleError, parse_rule


def test_a_name_alone_records_all_as_it_is():
    rule = parse_rule('wrist/wrench')
    assert rule == TopicRule('wrist/wrench', math.inf, 0, 0)
    assert rule.period_ns == 0


def test_options_follow_the_name():
    rule = parse_rule('camera/*/image_raw rate=20 crop=128 jpeg=90')
    assert rule == TopicRule('camera/*/image_raw', 20.0, 128, 90)
    assert rule.period_ns == 50_000_000


@pytest.mark.parametrize(
    ('pattern', 'topic', 'expected'),
    [
        ('camera/*/image_raw', '/cell/camera/front/image_raw', True),
        ('camera/*/image_raw', '/cell/camera/front/device/image_raw', False),
        ('camera/*/image_raw', '/other/camera/front/image_raw', False),
        ('/robot/*', '/robot/state', True),
        ('command', '/cell/gripper/command', False),
    ],
)
def test_patterns_match_part_by_part(pattern: str, topic: str, expected: bool):
    assert TopicRule(pattern).matches(topic, '/cell') is expected


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('', 'without a name'),
        ('a size=3', "option 'size', allowed: rate, crop, jpeg"),
        ('a rate=fast', "rate='fast' is not a number"),
        ('a rate=0', 'rate 0 Hz, must be positive'),
        ('a rate=nan', 'rate nan Hz, must be positive'),
        ('a crop=-1', 'crop -1 pixels'),
        ('a jpeg=101', 'jpeg 101, allowed: 1 .. 100'),
    ],
)
def test_what_is_wrong_is_said(line: str, message: str):
    with pytest.raises(TopicRuleError, match=message):
        parse_rule(line)
