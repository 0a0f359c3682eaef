"""Read ROS 2 message definitions as they are embedded in MCAP files (schema encoding ros2msg)."""

import dataclasses
import re

#: CDR size of each primitive, and the numpy type it is read as.
PRIMITIVES = {
    'bool': '?',
    'byte': 'u1',
    'char': 'u1',
    'int8': 'i1',
    'uint8': 'u1',
    'int16': '<i2',
    'uint16': '<u2',
    'int32': '<i4',
    'uint32': '<u4',
    'int64': '<i8',
    'uint64': '<u8',
    'float32': '<f4',
    'float64': '<f8',
}
#: Read as one integer number of nanoseconds.
TIMES = ('builtin_interfaces/Time', 'builtin_interfaces/Duration')

_SEPARATOR = re.compile(r'^=+\nMSG: (\S+)\n', re.MULTILINE)
_FIELD = re.compile(
    r'^(?P<type>[A-Za-z][\w/]*)(?:<=\d+)?(?P<array>\[(?:<=)?(?P<size>\d*)\])?\s+(?P<name>\w+)\b'
)
_CONSTANT = re.compile(r'^[\w/<=]+\s+[A-Z][A-Z0-9_]*\s*=')


class DefinitionError(ValueError):
    """A message definition cannot be understood."""


@dataclasses.dataclass(frozen=True)
class Field:
    """One member of a message."""

    name: str
    type_name: str  # a primitive, 'string', or 'package/Name'
    is_array: bool = False
    size: int | None = None  # elements of a fixed-size array, None when the message tells

    @property
    def is_text(self) -> bool:
        """Whether elements are strings."""
        return self.type_name == 'string'


Definitions = dict[str, tuple[Field, ...]]


def parse_definitions(type_name: str, text: str) -> Definitions:
    """Return the fields of `type_name` ('pkg/msg/Name') and of every message it contains.

    Keys are 'package/Name'. Raises DefinitionError naming the line or the missing type.
    """
    root = short_name(type_name)
    parts = _SEPARATOR.split(text)
    texts = {root: parts[0]}
    texts.update(zip(map(short_name, parts[1::2]), parts[2::2], strict=True))
    definitions = {name: parse_fields(name, body) for name, body in texts.items()}
    for name, fields in definitions.items():
        for field in fields:
            known = field.is_text or field.type_name in (*PRIMITIVES, *definitions)
            if not known:
                raise DefinitionError(f'{name}.{field.name}: no definition of {field.type_name}')
    return definitions


def short_name(type_name: str) -> str:
    """Return 'package/Name' for 'package/msg/Name' or 'package/Name'."""
    parts = type_name.split('/')
    return f'{parts[0]}/{parts[-1]}'


def parse_fields(name: str, body: str) -> tuple[Field, ...]:
    """Return the fields of one message definition `body` of type `name`."""
    fields = []
    for line in body.splitlines():
        line = line.split('#')[0].strip()
        if not line or _CONSTANT.match(line):
            continue
        match = _FIELD.match(line)
        if not match:
            raise DefinitionError(f'{name}: cannot read {line!r}')
        bounded = '<=' in (match['array'] or '')
        fields.append(
            Field(
                name=match['name'],
                type_name=_qualified(name, match['type']),
                is_array=match['array'] is not None,
                size=int(match['size']) if match['size'] and not bounded else None,
            )
        )
    return tuple(fields)


def _qualified(owner: str, type_name: str) -> str:
    if type_name in PRIMITIVES or type_name == 'string':
        return type_name
    if '/' in type_name:
        return short_name(type_name)
    return f'{owner.split("/")[0]}/{type_name}'
