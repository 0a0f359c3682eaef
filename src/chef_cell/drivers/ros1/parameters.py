"""The parameters of a ROS 1 master: a tree of names."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from chef_cell.drivers.ros1.xmlrpc import ERROR, SUCCESS, Answer


class ParameterTree:
    """Values by name; a name in the middle of the tree stands for all below it."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a value or a branch; raises KeyError when there is none."""
        node: Any = self._root
        for part in _parts(name):
            if not isinstance(node, dict):
                raise KeyError(name)
            node = node[part]
        return node

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a value, or with a dictionary a whole branch."""
        *path, last = _parts(name) or ['']
        if not last:
            self._root = dict(value)
            return
        node = self._root
        for part in path:
            child = node.get(part)
            if not isinstance(child, dict):
                child = node[part] = {}
            node = child
        node[last] = value

    def __delitem__(self, name: str) -> None:
        *path, last = _parts(name)
        branch = self['/' + '/'.join(path)]
        if not isinstance(branch, dict):
            raise KeyError(name)
        del branch[last]

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True

    def names(self) -> list[str]:
        """Names of all values."""
        return list(_leaves('', self._root))


class ParameterMethods:
    """The Parameter Server API.

    Args:
        tree: the parameters.
        lock: held while they are read or changed.
        notify: tells nodes, by their URIs, of a change.
    """

    def __init__(
        self,
        tree: ParameterTree,
        lock: threading.RLock,
        notify: Callable[..., None],
    ) -> None:
        self._tree = tree
        self._lock = lock
        self._notify = notify
        self._subscribers: dict[str, set[str]] = {}  # parameter -> URIs

    def methods(self) -> Iterable[Callable[..., Answer]]:
        """Return what is to be served."""
        return (
            self.set_param, self.get_param, self.has_param, self.delete_param, self.search_param,
            self.get_param_names, self.subscribe_param, self.unsubscribe_param,
        )  # fmt: skip

    def set_param(self, caller: str, name: str, value: Any) -> Answer:
        """Set a parameter, and tell who subscribed to it."""
        name = resolve(caller, name)
        with self._lock:
            self._tree[name] = value
            for watched, uris in self._subscribers.items():
                if _below(watched, name) or _below(name, watched):
                    self._notify(uris, 'paramUpdate', name + '/', value)
        return SUCCESS, f'parameter {name} set', 0

    def get_param(self, caller: str, name: str) -> Answer:
        """Return a parameter."""
        name = resolve(caller, name)
        with self._lock:
            if name in self._tree:
                return SUCCESS, f'Parameter [{name}]', self._tree[name]
        return ERROR, f'Parameter [{name}] is not set', 0

    def has_param(self, caller: str, name: str) -> Answer:
        """Return whether a parameter is set."""
        name = resolve(caller, name)
        with self._lock:
            return SUCCESS, name, name in self._tree

    def delete_param(self, caller: str, name: str) -> Answer:
        """Delete a parameter."""
        name = resolve(caller, name)
        with self._lock:
            if name not in self._tree or name == '/':
                return ERROR, f'parameter {name} is not set', 0
            del self._tree[name]
            for watched, uris in self._subscribers.items():
                if _below(watched, name):
                    self._notify(uris, 'paramUpdate', name + '/', {})
        return SUCCESS, f'parameter {name} deleted', 0

    def search_param(self, caller: str, name: str) -> Answer:
        """Return the full name of a parameter, looked for from the caller's name upwards."""
        first = _parts(name)[0]
        spaces = _parts(caller)
        with self._lock:
            for depth in range(len(spaces), -1, -1):
                space = ''.join(f'/{part}' for part in spaces[:depth])
                if not name.startswith('/') and f'{space}/{first}' in self._tree:
                    return SUCCESS, 'found', f'{space}/{name}'
            if name.startswith('/') and name in self._tree:
                return SUCCESS, 'found', name
        return ERROR, f'cannot find parameter [{name}] in an upwards search', ''

    def get_param_names(self, caller: str) -> Answer:
        """Return the names of all parameters."""
        with self._lock:
            return SUCCESS, 'parameter names', self._tree.names()

    def subscribe_param(self, caller: str, uri: str, name: str) -> Answer:
        """Return a parameter, {} if it is not set, and tell its changes from now on."""
        name = resolve(caller, name)
        with self._lock:
            self._subscribers.setdefault(name, set()).add(uri)
            known = name in self._tree
            return SUCCESS, f'subscribed to parameter [{name}]', self._tree[name] if known else {}

    def unsubscribe_param(self, caller: str, uri: str, name: str) -> Answer:
        """Tell no more."""
        uris = self._subscribers.get(resolve(caller, name), set())
        known = uri in uris
        uris.discard(uri)
        return SUCCESS, f'unsubscribed {int(known)}', int(known)


def resolve(caller: str, name: str) -> str:
    """Return the absolute name: `~x` is the caller's own, `x` of its namespace."""
    if name.startswith('~'):
        name = f'{caller}/{name[1:]}'
    elif not name.startswith('/'):
        name = f'{caller.rpartition("/")[0]}/{name}'
    return '/' + '/'.join(_parts(name))


def _parts(name: str) -> list[str]:
    return [part for part in name.split('/') if part]


def _below(branch: str, name: str) -> bool:
    return (name + '/').startswith(branch.rstrip('/') + '/')


def _leaves(name: str, value: Any) -> Iterable[str]:
    if not isinstance(value, dict):
        yield name
        return
    for key, child in value.items():
        yield from _leaves(f'{name}/{key}', child)
