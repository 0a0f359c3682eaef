"""Topics, services and parameters over real sockets, also when somebody is gone, late or slow."""

import socket
import struct

import pytest

from chef_cell.drivers.ros1 import tcpros, xmlrpc
from chef_cell.drivers.ros1.codec import Codec
from chef_cell.drivers.ros1.definitions import Definitions
from chef_cell.drivers.ros1.services import ServiceError
from chef_cell.drivers.ros1.xmlrpc import RemoteError

NUMBER = 'std_msgs/Float64'


def listen(ros1, node, topic='/x'):
    values = []
    subscription = node.subscribe(topic, NUMBER, lambda message: values.append(message.data))
    return subscription, values


def connected(ros1, publisher, count=1):
    ros1.wait_for(lambda: publisher.subscribers == count, f'{count} subscribers')


def test_messages_arrive_in_order(ros1):
    publisher = ros1.node('talker').advertise('/x', NUMBER, queue=100)
    _, values = listen(ros1, ros1.node('listener'))
    connected(ros1, publisher)
    for value in range(50):
        publisher.publish(ros1.number(float(value)))
    ros1.wait_for(lambda: len(values) == 50, '50 messages')
    assert values == [float(value) for value in range(50)]


def test_a_latched_topic_reaches_who_comes_later(ros1):
    publisher = ros1.node('talker').advertise('/x', NUMBER, latch=True)
    publisher.publish(ros1.number(1.0))
    publisher.publish(ros1.number(2.0))
    _, values = listen(ros1, ros1.node('listener'))
    ros1.wait_for(lambda: values, 'the latched message')
    assert values == [2.0]


def test_a_subscriber_may_come_before_the_publisher_and_before_the_master(ros1):
    ros1.stop_master()
    _, values = listen(ros1, ros1.node('listener'))
    publisher = ros1.node('talker').advertise('/x', NUMBER, latch=True)
    publisher.publish(ros1.number(3.0))
    ros1.start_master()
    ros1.wait_for(lambda: values == [3.0], 'the message')


def test_a_master_that_forgot_everything_learns_it_again(ros1):
    talker = ros1.node('talker')
    publisher = talker.advertise('/x', NUMBER)
    _, values = listen(ros1, ros1.node('listener'))
    talker.serve('/add', 'test/Add', lambda request: None)
    connected(ros1, publisher)
    ros1.stop_master()
    publisher.publish(ros1.number(1.0))  # connections outlive the master
    ros1.wait_for(lambda: values == [1.0], 'the message without a master')
    ros1.start_master()
    _, late = listen(ros1, ros1.node('late'))
    connected(ros1, publisher, 2)
    publisher.publish(ros1.number(2.0))
    ros1.wait_for(lambda: late == [2.0] and values == [1.0, 2.0], 'the message to both')
    assert talker.wait_registered(20.0)
    services = xmlrpc.call(ros1.master.uri, 'getSystemState', '/test')[2]
    assert services == [['/add', ['/talker']]]
    assert not talker.problem


def test_a_publisher_that_comes_back_is_found_again(ros1):
    _, values = listen(ros1, ros1.node('listener'))
    for value in (1.0, 2.0):
        talker = ros1.node('talker')
        publisher = talker.advertise('/x', NUMBER)
        connected(ros1, publisher)
        publisher.publish(ros1.number(value))
        ros1.wait_for(lambda value=value: value in values, f'message {value}')
        talker.close()


def test_a_publisher_that_died_without_a_word_is_asked_again(ros1):
    """Its connection breaks but the master still names it."""
    talker = ros1.node('talker')
    publisher = talker.advertise('/x', NUMBER)
    _, values = listen(ros1, ros1.node('listener'))
    connected(ros1, publisher)
    talker._loop.call_soon_threadsafe(publisher.close)
    ros1.wait_for(lambda: publisher.subscribers == 0, 'the break')
    connected(ros1, publisher)
    publisher.publish(ros1.number(4.0))
    ros1.wait_for(lambda: values == [4.0], 'the message')


def raw_subscriber(node, topic='/x', kind='test/Blob', codec=None):
    """A subscriber that says who it is and then reads nothing."""
    md5 = codec.definitions.md5(kind)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((node.identity.host, node.identity.port))
    header = {'callerid': '/slow', 'topic': topic, 'type': kind, 'md5sum': md5}
    connection.sendall(tcpros.encode_header(header))
    return connection


def test_a_subscriber_that_does_not_read_holds_nobody_up_and_costs_no_memory(ros1):
    talker = ros1.node('talker')
    publisher = talker.advertise('/x', 'test/Blob', queue=2)
    received = []
    listener = ros1.node('listener')
    listener.subscribe('/x', 'test/Blob', lambda message: received.append(message.data[0]))
    blob = ros1.codec.classes('test/Blob')
    with raw_subscriber(talker, codec=ros1.codec) as slow:
        connected(ros1, publisher, 2)
        for value in range(100):
            data = bytes([value]) * 100_000
            publisher.publish(blob(data=data))
            ros1.wait_for(lambda value=value: received[-1:] == [value], 'the prompt subscriber')
        assert publisher.dropped > 50
        # Once it reads again it gets the newest, not a hundred old ones.
        slow.settimeout(10.0)
        with slow.makefile('rb') as stream:
            stream.read(*struct.unpack('<I', stream.read(4)))
            seen = [0]
            while seen[-1] != 99:
                (length,) = struct.unpack('<I', stream.read(4))
                seen.append(stream.read(length)[4])
        assert len(seen) < 60


def test_few_commands_wait_for_a_subscriber_that_does_not_read(ros1):
    """What it finds when it reads again is not the past of a minute ago."""
    talker = ros1.node('talker')
    publisher = talker.advertise('/x', 'test/Stamped')
    prompt = []
    ros1.node('listener').subscribe('/x', 'test/Stamped', lambda message: prompt.append(message))
    message = ros1.codec.classes('test/Stamped')
    with raw_subscriber(talker, kind='test/Stamped', codec=ros1.codec):
        connected(ros1, publisher, 2)
        for value in range(3000):
            publisher.publish(message(value=value))
        ros1.wait_for(lambda: prompt[-1:] and prompt[-1].value == 2999, 'the prompt subscriber')
        waiting = 3000 - publisher.dropped
    assert waiting < 1000


def test_a_subscriber_that_went_away_is_forgotten(ros1):
    publisher = (talker := ros1.node('talker')).advertise('/x', 'test/Blob')
    with raw_subscriber(talker, codec=ros1.codec):
        connected(ros1, publisher)
    connected(ros1, publisher, 0)
    publisher.publish(ros1.codec.classes('test/Blob')(data=b'x'))


@pytest.mark.parametrize(
    'noise', [b'\xff' * 8, b'\4\0\0\0ab', b'\3\0\0\0abc', b'GET / HTTP/1.1\r\n']
)
def test_who_does_not_speak_tcpros_is_shown_out(ros1, noise):
    talker = ros1.node('talker')
    publisher = talker.advertise('/x', NUMBER)
    with socket.create_connection((talker.identity.host, talker.identity.port)) as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10.0)
        assert connection.recv(1) == b''
    listen(ros1, ros1.node('listener'))
    connected(ros1, publisher)


def test_another_md5_sum_is_refused_with_the_reason(ros1, caplog):
    ros1.node('talker').advertise('/x', NUMBER, latch=True)
    other = Codec(Definitions({NUMBER: 'float64 value'}, {}))
    subscription = ros1.node('listener', other).subscribe('/x', NUMBER, lambda _: None)
    ros1.wait_for(lambda: 'has md5sum' in caplog.text, 'the refusal')
    assert subscription.publishers == 0


def test_headers_are_counted(ros1):
    talker = ros1.node('talker')
    publisher = talker.advertise('/x', 'test/Stamped', queue=10)
    with raw_subscriber(talker, kind='test/Stamped', codec=ros1.codec) as connection:
        connected(ros1, publisher)
        for _ in range(3):
            publisher.publish(ros1.codec.classes('test/Stamped')())
        connection.settimeout(10.0)
        with connection.makefile('rb') as stream:
            header = tcpros.decode_header(stream.read(*struct.unpack('<I', stream.read(4))))
            assert header['message_definition'].startswith('Header header')
            frames = [stream.read(*struct.unpack('<I', stream.read(4))) for _ in range(3)]
    assert [int.from_bytes(each[:4], 'little') for each in frames] == [0, 1, 2]


def test_a_message_that_cannot_be_used_does_not_end_the_connection(ros1, caplog):
    publisher = ros1.node('talker').advertise('/x', NUMBER, queue=10)
    values = []

    def use(message):
        values.append(1.0 / message.data)

    ros1.node('listener').subscribe('/x', NUMBER, use)
    connected(ros1, publisher)
    for value in (0.0, 2.0):
        publisher.publish(ros1.number(value))
    ros1.wait_for(lambda: values == [0.5], 'the second message')
    assert 'ZeroDivisionError' in caplog.text


def test_a_service_answers_or_says_why_not(ros1):
    def add(request):
        if request.a < 0:
            raise ValueError('only positive numbers')
        return ros1.codec.classes('test/AddResponse')(sum=request.a + request.b)

    server = ros1.node('server')
    server.serve('/add', 'test/Add', add)
    assert server.wait_registered(20.0)
    client, request = ros1.node('client'), ros1.codec.classes('test/AddRequest')
    assert client.call('/add', 'test/Add', request(a=2, b=3)).sum == 5
    with pytest.raises(ServiceError, match='only positive numbers'):
        client.call('/add', 'test/Add', request(a=-2))
    with pytest.raises(RemoteError, match='no provider'):
        client.call('/subtract', 'test/Add', request())
    uri = f'rosrpc://{server.identity.host}:{server.identity.port}'
    xmlrpc.call(ros1.master.uri, 'registerService', '/x', '/subtract', uri, 'http://x')
    with pytest.raises(ServiceError, match='neither that topic nor that service'):
        client.call('/subtract', 'test/Add', request())


def test_parameters_are_set_and_read(ros1):
    node = ros1.node('node')
    node.set_param('/robot_config/right_config', {'joint_names': ['a', 'b'], 'count': 2})
    assert node.get_param('/robot_config/right_config/joint_names') == ['a', 'b']
    assert node.get_param('robot_config') == {
        'right_config': {'joint_names': ['a', 'b'], 'count': 2}
    }
    with pytest.raises(RemoteError, match='not set'):
        node.get_param('/nothing')


def test_a_node_of_the_same_name_makes_the_old_one_step_back(ros1):
    old = ros1.node('same')
    old.advertise('/x', NUMBER)
    assert old.wait_registered(20.0)
    ros1.node('same').advertise('/x', NUMBER)
    ros1.wait_for(lambda: 'same name' in old.problem, 'the shutdown')


def test_the_slave_api_says_what_a_node_does(ros1):
    node = ros1.node('node')
    publisher = node.advertise('/x', NUMBER)
    listen(ros1, node)
    connected(ros1, publisher)

    def ask(method, *arguments):
        return xmlrpc.call(node.identity.uri, method, '/test', *arguments)

    assert ask('getPublications') == ask('getSubscriptions') == [['/x', NUMBER]]
    assert [bus[2:5] for bus in ask('getBusInfo')] == [
        ['o', 'TCPROS', '/x'],
        ['i', 'TCPROS', '/x'],
    ]
    assert ask('getMasterUri') == f'http://127.0.0.1:{ros1.port}'
    assert ask('getPid') > 0
    for arguments in (('/y', [['TCPROS']]), ('/x', [['UDPROS']])):
        with pytest.raises(RemoteError):
            ask('requestTopic', *arguments)


def test_our_address_is_that_of_the_way_to_the_master(monkeypatch):
    for variable in ('ROS_HOSTNAME', 'ROS_IP'):
        monkeypatch.delenv(variable, raising=False)
    assert xmlrpc.own_host('http://127.0.0.1:11311') == '127.0.0.1'
    monkeypatch.setenv('ROS_IP', '10.0.0.7')
    assert xmlrpc.own_host('http://127.0.0.1:11311') == '10.0.0.7'
    monkeypatch.setenv('ROS_HOSTNAME', 'desk')
    assert xmlrpc.own_host('http://127.0.0.1:11311') == 'desk'
    monkeypatch.delenv('ROS_IP')
    monkeypatch.delenv('ROS_HOSTNAME')
    with pytest.raises(ValueError, match="'robot:11311', expected http"):
        xmlrpc.own_host('robot:11311')
