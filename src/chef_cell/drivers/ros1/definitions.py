"""Message definitions of ROS 1: their fields, their md5 sums, and the text a publisher sends.

Both ends of a connection compare the md5 sum, so a definition that differs in one field name
never connects.
"""

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping

PRIMITIVES = {
    'bool', 'int8', 'uint8', 'byte', 'char', 'int16', 'uint16', 'int32', 'uint32', 'int64',
    'uint64', 'float32', 'float64', 'string', 'time', 'duration',
}  # fmt: skip
_FIELD = re.compile(r'(?P<base>[\w/]+)(?P<array>\[(?P<size>\d*)\])?\s+(?P<name>\w+)$')
_CONSTANT = re.compile(r'(?P<base>\w+)\s+(?P<name>\w+)\s*=\s*(?P<value>.*)$')
_RULE = '=' * 80


class DefinitionError(ValueError):
    """A definition can't be read, or names a type that is not defined."""


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a message."""

    base: str  # a primitive, or package/Type
    name: str
    array: str = ''  # as written: '', '[]' or '[3]'
    size: int | None = None  # of an array of fixed length

    @property
    def attribute(self) -> str:
        """The field's name where only lower case is allowed, as in ROS 2."""
        return snake_case(self.name)


@dataclasses.dataclass(frozen=True)
class Message:
    """One message."""

    name: str  # package/Type
    fields: tuple[Field, ...]
    constants: tuple[tuple[str, str, str], ...] = ()  # type, name, value as written


class Definitions:
    """All messages and services that two programs may exchange.

    Args:
        messages: package/Type -> text of the .msg file.
        services: package/Type -> text of the .srv file, request and response parted by `---`.

    Raises:
        DefinitionError: a text is malformed.
    """

    def __init__(self, messages: Mapping[str, str], services: Mapping[str, str]) -> None:
        self._texts = {name: text.strip() for name, text in messages.items()}
        self.services = tuple(services)
        for name, text in services.items():
            request, _, response = text.partition('---')
            self._texts[f'{name}Request'] = request.strip()
            self._texts[f'{name}Response'] = response.strip()
        self._messages = {name: _parse(name, text) for name, text in self._texts.items()}

    def __getitem__(self, name: str) -> Message:
        try:
            return self._messages[name]
        except KeyError:
            raise DefinitionError(
                f'message {name!r} is not defined, defined are {sorted(self._messages)}'
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def md5(self, name: str) -> str:
        """Return the md5 sum of a message or service."""
        names = (f'{name}Request', f'{name}Response') if name in self.services else (name,)
        text = ''.join(self._signature(each) for each in names)
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def text(self, name: str) -> str:
        """Return the text of a message and of all it contains, as publishers send it."""
        parts = [self._texts[self[name].name]]
        parts += [f'{_RULE}\nMSG: {inner}\n{self._texts[inner]}' for inner in self._inside(name)]
        return '\n'.join(parts)

    def _signature(self, name: str) -> str:
        """The text whose md5 sum it is: constants, then fields, inner messages by their sum."""
        message = self[name]
        lines = [f'{base} {constant}={value}' for base, constant, value in message.constants]
        for field in message.fields:
            primitive = field.base in PRIMITIVES
            kind = field.base + field.array if primitive else self.md5(field.base)
            lines.append(f'{kind} {field.name}')
        return '\n'.join(lines)

    def _inside(self, name: str) -> list[str]:
        """All messages that a message contains, each once."""
        found: list[str] = []
        for field in self[name].fields:
            if field.base not in PRIMITIVES:
                for inner in (field.base, *self._inside(field.base)):
                    if inner not in found:
                        found.append(inner)
        return found


def snake_case(name: str) -> str:
    """Return `inCollision` as `in_collision`; names without capitals stay."""
    return re.sub(r'(?<=[a-z0-9])([A-Z])', r'_\1', name).lower()


def _parse(name: str, text: str) -> Message:
    fields, constants = [], []
    for line in text.splitlines():
        # Comments are cut from string constants too; none of those has a '#'.
        line = line.partition('#')[0].strip()
        if not line:
            continue
        if match := _CONSTANT.match(line):
            constants.append((match['base'], match['name'], match['value'].strip()))
        elif match := _FIELD.match(line):
            fields.append(_field(name, match))
        else:
            raise DefinitionError(f'{name}: {line!r} is neither a field nor a constant')
    return Message(name, tuple(fields), tuple(constants))


def _field(message: str, match: re.Match[str]) -> Field:
    base = match['base']
    if base == 'Header':
        base = 'std_msgs/Header'
    elif base not in PRIMITIVES and '/' not in base:
        base = f'{message.partition("/")[0]}/{base}'  # of the same package
    size = int(match['size']) if match['size'] else None
    return Field(base, match['name'], match['array'] or '', size)
