"""What several threads send over a connection, and what is on its way when it is closed."""

import threading

import pytest

from chef_cell.drivers.ros1.services import ServiceError

THREADS, EACH = 4, 200


def test_what_several_threads_publish_arrives_whole_and_in_order(ros1):
    publisher = ros1.node('talker').advertise('/x', 'test/Stamped', queue=THREADS * EACH)
    received = []
    ros1.node('listener').subscribe('/x', 'test/Stamped', received.append)
    ros1.wait_for(lambda: publisher.subscribers == 1, 'the subscriber')
    message = ros1.codec.classes('test/Stamped')

    def talk(first):
        for value in range(first, first + EACH):
            publisher.publish(message(value=value))

    threads = [threading.Thread(target=talk, args=(EACH * each,)) for each in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ros1.wait_for(lambda: len(received) == THREADS * EACH, 'the last message')
    values = [each.value for each in received]
    for first in range(0, THREADS * EACH, EACH):
        assert [v for v in values if first <= v < first + EACH] == list(range(first, first + EACH))


def test_what_the_socket_did_not_take_at_once_arrives_before_the_connection_ends(ros1):
    reason = 'no' * 1_000_000

    def refuse(request):
        raise ValueError(reason)

    server = ros1.node('server')
    server.serve('/add', 'test/Add', refuse)
    assert server.wait_registered(20.0)
    with pytest.raises(ServiceError) as answer:
        ros1.node('client').call('/add', 'test/Add', ros1.codec.classes('test/AddRequest')())
    assert reason in str(answer.value)
