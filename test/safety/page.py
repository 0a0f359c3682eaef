"""Writes the fault matrix into docs/faults.md: `python test/safety/page.py`."""

from pathlib import Path

from matrix import FAULTS, POLICY_FILE, Fault, Outline

PAGE = Path(__file__).parents[2] / 'src' / 'chef_cell' / 'docs' / 'faults.md'
HEADINGS = ('fault', 'injected', 'seen by', 'within', 'arm', 'session', 'file')
#: Everything from here on is written by `render`.
BEGIN = '| ' + ' | '.join(HEADINGS) + ' |'


def render() -> str:
    """Return the table in Markdown."""
    rows = [row(fault) for fault in (*FAULTS, POLICY_FILE)]
    lines = [HEADINGS, ['---'] * len(HEADINGS), *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines) + '\n'


def row(fault: Fault | Outline) -> tuple[str, ...]:
    """Return the cells of one fault."""
    if isinstance(fault, Outline):
        return fault.cells
    reason = f'`{fault.reason.strip().rstrip(":")}`'
    return (
        fault.what,
        fault.injected,
        fault.seen_by,
        fault.within,
        fault.arm,
        f'{fault.session}, {reason}',
        f'{fault.file}, `{fault.outcome}`',
    )


def text() -> str:
    """Return the page with the table as it must be."""
    return PAGE.read_text().partition(BEGIN)[0] + render()


if __name__ == '__main__':
    PAGE.write_text(text())
