"""Numbers put into a ROS parameter file whose comments stay."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from chef_cell.graph import GraphError


def write_parameters(path: Path, node: str, values: Mapping[str, object]) -> None:
    """Set parameters of a node; the file is replaced as a whole or not at all.

    Raises:
        GraphError: the file has no section of the node, or is malformed.
    """
    lines = path.read_text().splitlines()
    head = f'{node}:'
    if head not in lines or lines[lines.index(head) + 1 :][:1] != ['  ros__parameters:']:
        raise GraphError(f'{path} has no section {head} with ros__parameters')
    start = lines.index(head) + 2
    end = next((i for i in range(start, len(lines)) if re.match(r'\S', lines[i])), len(lines))
    section = lines[start:end]
    for name, value in values.items():
        text = yaml.safe_dump(value, default_flow_style=True, width=200).splitlines()[0]
        pattern = re.compile(rf'(    {name}: )[^#]*?(\s*(#.*)?)$')
        found = [i for i, line in enumerate(section) if pattern.match(line)]
        if found:
            section[found[0]] = pattern.sub(rf'\g<1>{text}\g<2>', section[found[0]])
        else:
            section.insert(0, f'    {name}: {text}')
    written = '\n'.join([*lines[:start], *section, *lines[end:], ''])
    told = yaml.safe_load(written)[node]['ros__parameters']
    if {name: told[name] for name in values} != dict(values):
        raise GraphError(f'{path} is not written as this file is read: set {dict(values)} by hand')
    temporary = path.with_name(f'.{path.name}')
    temporary.write_text(written)
    os.replace(temporary, path)
