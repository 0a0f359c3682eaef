"""All checks, in the order in which a person would make them."""

import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_cell import graph
from chef_cell.core.policy_slot import Offer
from chef_cell.doctor import (
    clock,
    disk,
    domain,
    health,
    leftovers,
    limits,
    parameters,
    policy,
    rendering,
    serial_ports,
    streams,
    transport,
)
from chef_cell.doctor.finding import Finding, Level
from chef_cell.doctor.listen import Listener

_PIXEL = 3  # bytes, rgb8
_IMAGE_SIZE = 128  # pixels, square, unless the files say otherwise
#: What a session writes besides images (bytes/s in real time), rounded up.
_OTHER_STREAMS = 0.5e6


@dataclasses.dataclass(frozen=True)
class Patient:
    """What is examined."""

    cell: graph.CellSettings
    config: Path
    overrides: Mapping[str, Mapping[str, Any]]
    policy: Path | None  # None: there is none
    environment: Mapping[str, str]  # that processes of the cell get
    free_domain: int  # for the doctor's own frames
    domain: int  # that the cell has, or would have
    chosen: bool  # whether ROS_DOMAIN_ID chose it
    reserved: bool  # whether somebody holds it
    running: bool = False  # whether a running cell is to be examined
    clean: bool = False


def examine(patient: Patient) -> Iterator[Finding]:
    """Make every check; yields what was found as soon as it is known."""
    nodes = graph.nodes(patient.cell, patient.config, overrides=patient.overrides)
    before = clock.offset()
    yield from _machine(patient, nodes)
    yield from _cell(patient, nodes)
    yield clock.judge(clock.read(before))
    listener = Listener(patient.domain, patient.cell.namespace)
    try:
        reading = domain.DomainReading(
            patient.domain,
            patient.chosen,
            patient.reserved,
            listener.nodes(),
            patient.environment.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET'),
        )
        yield domain.judge_domain(reading, patient.running)
        yield domain.judge_range(reading)
        if patient.running and reading.nodes:
            yield from _running(patient, nodes, listener)
    finally:
        listener.close()


def _machine(patient: Patient, nodes: tuple[graph.NodeSpec, ...]) -> Iterator[Finding]:
    given = {node.name: node.parameters for node in nodes}
    bridge, recorder = given.get('mujoco_bridge'), given['recorder']
    freed = leftovers.remove(leftovers.find()) if patient.clean else 0
    free = shutil.disk_usage(leftovers.SHARED_MEMORY).free
    yield leftovers.judge(leftovers.find(), free, freed)
    frames = transport.send_frames(patient.free_domain, patient.environment)
    yield transport.judge_segment(frames.segment)
    yield transport.judge_loss(frames)
    cameras, rate = len(patient.cell.cameras), streams.image_rate(nodes)
    if bridge is not None:
        yield rendering.judge(rendering.render(patient.environment), cameras, rate)
    size = given.get('camera', {}).get('image_size', _IMAGE_SIZE)
    written = _PIXEL * size**2 * cameras * rate + _OTHER_STREAMS
    place = disk.measure(Path(patient.cell.directory))
    yield disk.judge_space(place, written, recorder['min_free_mb'] * 1e6)
    yield disk.judge_speed(place, written)


def _cell(patient: Patient, nodes: tuple[graph.NodeSpec, ...]) -> Iterator[Finding]:
    """Judge what the files say."""
    wanted = next(node for node in nodes if node.name == 'policy').parameters
    offer = Offer(wanted['rate_hz'], patient.cell.cameras)
    loaded = (
        policy.load(
            patient.policy,
            offer,
            tuple(wanted['providers']),
            wanted['threads'],
            wanted['bfloat16'],
        )
        if patient.policy
        else policy.PolicyReading(error='models/ has no policy')
    )
    yield policy.judge(loaded, offer.rate_hz)
    for node in nodes:
        if node.name in serial_ports.DRIVERS:
            yield serial_ports.judge(node)
    common = set.intersection(*(set(node.parameters) for node in nodes))
    for node in nodes:
        yield parameters.judge(node, common)
    yield from map(limits.judge, _limits(patient, nodes))


def _limits(patient: Patient, nodes: tuple[graph.NodeSpec, ...]) -> list[limits.Limit]:
    files = [patient.config / 'cell.yaml', patient.config / f'{patient.cell.cell}.yaml']
    return limits.effective(nodes, files, patient.overrides)


def _running(
    patient: Patient, nodes: tuple[graph.NodeSpec, ...], listener: Listener
) -> Iterator[Finding]:
    """Judge a cell that is up."""
    configured = _limits(patient, nodes)
    for node in graph.LIMITS:
        values = listener.parameters(node, limits.limit_names(node))
        yield limits.judge_running(node, configured, values)
    parts = listener.health.values()
    yield from health.judge(parts, {node.name for node in nodes} & set(listener.nodes()))
    if listener.lockstep():
        value = 'lockstep: simulated time waits for the nodes, so rates say nothing'
        yield Finding('streams', Level.OK, value, 'real time for rates')
        return
    expected = streams.expected_streams(nodes, listener.cameras())
    heard = listener.listen(expected)
    for stream in expected:
        yield streams.judge_stream(stream, heard[stream.topic])
    yield health.judge_ages(listener.health.values())
    if listener.running:
        remedy = 'call again between two episodes'
        value = 'an episode is running'
        yield Finding('wrist at rest', Level.WARN, value, 'an idle cell', remedy)
        return
    force_limit = next(limit.value for limit in configured if limit.name == 'force_limit')
    simulated = 'mujoco_bridge' in listener.nodes()
    yield from streams.judge_wrist(
        np.array(listener.wrenches).reshape(-1, 6), force_limit, simulated
    )
