"""What a session leaves for people: a table in the terminal, and an HTML page."""

from chef_cell.report.build import build, load
from chef_cell.report.tables import session_table

__all__ = ['build', 'load', 'session_table']
