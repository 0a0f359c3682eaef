"""The master's book and its parameters, over XML-RPC as every ROS 1 client asks for them."""

import queue
import xmlrpc.client

import pytest

from chef_cell.drivers.ros1 import xmlrpc as ros1_xmlrpc
from chef_cell.drivers.ros1.parameters import ParameterTree, resolve
from chef_cell.drivers.ros1.xmlrpc import SUCCESS, RemoteError, Server


@pytest.fixture
def master(ros1):
    def ask(method, *arguments, caller='/a/node'):
        return ros1_xmlrpc.call(ros1.master.uri, method, caller, *arguments)

    return ask


@pytest.fixture
def node():
    """What a node is told, and its URI."""
    told = queue.Queue()

    def publisher_update(caller, topic, uris):
        told.put((topic, uris))
        return SUCCESS, '', 0

    def param_update(caller, name, value):
        told.put((name, value))
        return SUCCESS, '', 0

    server = Server('127.0.0.1', [publisher_update, param_update])
    yield server.uri, lambda: told.get(timeout=10.0)
    server.close()


def test_subscribers_hear_of_publishers_that_come_and_go(master, node):
    uri, told = node
    assert master('registerSubscriber', '/x', '*', uri) == []
    assert master('registerPublisher', '/x', 'a/B', 'http://p/', caller='/p') == [uri]
    assert told() == ('/x', ['http://p/'])
    assert master('registerSubscriber', '/x', 'a/B', 'http://q/', caller='/q') == ['http://p/']
    assert master('getPublishedTopics', '') == [['/x', 'a/B']]
    assert master('getPublishedTopics', '/y') == []
    assert master('getTopicTypes') == [['/x', 'a/B']]
    assert master('getSystemState')[:2] == [[['/x', ['/p']]], [['/x', ['/a/node', '/q']]]]
    assert master('unregisterPublisher', '/x', 'http://other/', caller='/p') == 0
    assert master('unregisterPublisher', '/x', 'http://p/', caller='/p') == 1
    assert told() == ('/x', [])


def test_what_a_node_is_told_comes_in_order(master, node):
    uri, told = node
    master('registerSubscriber', '/x', '*', uri)
    for index in range(30):
        master('registerPublisher', '/x', 'a/B', f'http://{index}/', caller=f'/p{index}')
    assert [len(told()[1]) for _ in range(30)] == list(range(1, 31))


def test_a_node_is_known_as_long_as_it_has_something_registered(master):
    master('registerSubscriber', '/x', '*', 'http://q/')
    assert master('lookupNode', '/a/node') == 'http://q/'
    assert master('unregisterSubscriber', '/x', 'http://q/') == 1
    with pytest.raises(RemoteError, match='unknown node'):
        master('lookupNode', '/a/node')


def test_the_last_to_register_a_service_serves_it(master):
    for name in ('one', 'two'):
        master('registerService', '/s', f'rosrpc://{name}:1', f'http://{name}/', caller=f'/{name}')
    assert master('lookupService', '/s') == 'rosrpc://two:1'
    assert master('unregisterService', '/s', 'rosrpc://one:1', caller='/one') == 0
    assert master('unregisterService', '/s', 'rosrpc://two:1', caller='/two') == 1
    with pytest.raises(RemoteError, match='no provider'):
        master('lookupService', '/s')


def test_parameters_make_a_tree(master):
    master('setParam', '/robot/limits', {'velocity': [1.0, 2.0], 'name': 'sawyer'})
    master('setParam', 'relative', 3)
    master('setParam', '~private', True)
    assert master('getParam', '/robot/limits/name') == 'sawyer'
    assert master('getParam', '/robot') == {'limits': {'velocity': [1.0, 2.0], 'name': 'sawyer'}}
    assert master('getParam', '/a/relative') == 3
    assert master('hasParam', '/a/node/private') is True
    assert master('searchParam', 'relative') == '/a/relative'
    assert master('searchParam', 'robot/limits') == '/robot/limits'
    assert sorted(master('getParamNames')) == [
        '/a/node/private', '/a/relative', '/robot/limits/name', '/robot/limits/velocity',
    ]  # fmt: skip
    master('deleteParam', '/robot/limits')
    assert master('hasParam', '/robot/limits/name') is False
    for method in ('getParam', 'deleteParam', 'searchParam'):
        with pytest.raises(RemoteError):
            master(method, 'nothing')


def test_who_subscribed_to_a_parameter_hears_of_changes(master, node):
    uri, told = node
    assert master('subscribeParam', uri, '/robot') == {}
    master('setParam', '/robot/name', 'sawyer')
    assert told() == ('/robot/name/', 'sawyer')
    assert master('unsubscribeParam', uri, '/robot') == 1
    assert master('unsubscribeParam', uri, '/robot') == 0


def test_several_calls_go_in_one(ros1):
    """As rospy does when a node starts."""
    with xmlrpc.client.ServerProxy(ros1.master.uri) as proxy:
        calls = xmlrpc.client.MultiCall(proxy)
        calls.setParam('/a', '/x', 1)
        calls.getUri('/a')
        answers = tuple(calls())
    assert answers[1][2] == ros1.master.uri
    assert ros1.master.parameters['/x'] == 1


def test_a_client_does_not_end_the_master(master):
    with pytest.raises(RemoteError, match='not shut down by its clients'):
        master('shutdown', 'because')


def test_a_value_gives_way_to_a_branch():
    tree = ParameterTree()
    tree['/a'] = 1
    tree['/a/b'] = 2
    assert tree['/a'] == {'b': 2}
    assert '/a/b/c' not in tree
    tree['/'] = {'z': 1}
    assert tree.names() == ['/z']


def test_names_are_resolved_as_everywhere_in_ros1():
    assert resolve('/ns/node', 'x') == '/ns/x'
    assert resolve('/ns/node', '/x/') == '/x'
    assert resolve('/ns/node', '~x') == '/ns/node/x'
    assert resolve('/node', 'x//y') == '/x/y'
