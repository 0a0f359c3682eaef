"""Is there room for a cell on the ROS domain, and who hears it?"""

import dataclasses

from chef_cell.doctor.finding import Finding, Level


@dataclasses.dataclass(frozen=True)
class DomainReading:
    """What is known about the domain that a cell started now would use."""

    domain: int
    chosen: bool  # by ROS_DOMAIN_ID; else the first free one
    reserved: bool  # somebody holds its reservation
    nodes: tuple[str, ...]  # already in the cell's namespace
    discovery: str  # ROS_AUTOMATIC_DISCOVERY_RANGE


def judge_domain(reading: DomainReading, cell_expected: bool) -> Finding:
    """Judge the domain; `cell_expected` says that a running cell is to be looked at."""
    by = 'ROS_DOMAIN_ID' if reading.chosen else 'first free one'
    who = f'nodes {", ".join(reading.nodes)}' if reading.nodes else 'no cell'
    if reading.reserved and not reading.nodes:
        who = 'reserved by another cell or test'
    value = f'{reading.domain} ({by}): {who}'
    if cell_expected:
        if reading.nodes:
            return Finding('ROS domain', Level.OK, value, 'a running cell')
        remedy = 'start the cell, or set ROS_DOMAIN_ID to its domain'
        return Finding('ROS domain', Level.FAIL, value, 'a running cell', remedy)
    if reading.nodes or reading.reserved:
        remedy = 'unset ROS_DOMAIN_ID to get a free one, set another, or end that cell'
        return Finding('ROS domain', Level.FAIL, value, 'no other cell', remedy)
    return Finding('ROS domain', Level.OK, value, 'no other cell')


def judge_range(reading: DomainReading) -> Finding:
    """Judge who can hear and command the cell."""
    name, expected = 'discovery range', 'LOCALHOST'
    if reading.discovery == expected:
        return Finding(name, Level.OK, reading.discovery, expected)
    remedy = 'set ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST unless other machines take part'
    return Finding(name, Level.WARN, f'{reading.discovery}: others can command', expected, remedy)
