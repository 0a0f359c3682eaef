"""Resolve a list of requirements into a lock file of exact versions.

Usage: ``python lock.py WANTED.in LOCKED.txt [CONSTRAINT.txt]``.

A lock names every package, dependencies included, and is installed with
``pip install --no-deps``. So a line marked ``# no-deps`` keeps its dependencies out.
Run it with the oldest supported Python: its newest versions exist for the others too.
"""

import json
import subprocess
import sys
from pathlib import Path

HEADER = '# `make lock` made this from {name}. Install it with pip install --no-deps.\n'


def resolve(wanted: list[str], options: list[str]) -> dict[str, str]:
    """Return the version pip picks for every package that the lines of `wanted` pull in.

    Raises:
        subprocess.CalledProcessError: pip found no set of versions that fits.
    """
    names = [name for line in wanted if (name := line.partition('#')[0].strip())]
    if not names:
        return {}
    command = [sys.executable, '-m', 'pip', 'install', '-q', '--dry-run', '--ignore-installed']
    report = json.loads(subprocess.check_output([*command, '--report', '-', *options, *names]))
    return {
        package['metadata']['name'].lower().replace('_', '-'): package['metadata']['version']
        for package in report['install']
    }


def main(wanted: Path, locked: Path, *constraints: Path) -> None:
    """Write `locked`; packages that a constraint already locks are left out."""
    lines = wanted.read_text().splitlines()
    alone = [line for line in lines if '# no-deps' in line]
    limits = [option for path in constraints for option in ('-c', str(path))]
    versions = resolve([line for line in lines if line not in alone], limits)
    versions |= resolve(alone, ['--no-deps'])
    pins = {f'{name}=={version}' for name, version in versions.items()}
    pins -= {pin for path in constraints for pin in path.read_text().splitlines()}
    locked.write_text(HEADER.format(name=wanted.name) + '\n'.join(sorted(pins)) + '\n')
    print(f'{locked}: {len(pins)} packages')


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:]))
