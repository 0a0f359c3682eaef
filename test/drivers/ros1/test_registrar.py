"""What a node believes of the publishers of a topic is the newest it was told."""

from chef_cell.drivers.ros1 import xmlrpc
from chef_cell.drivers.ros1.registrar import Registrar, Registration

PUBLISHER = 'http://127.0.0.1:1/'


def test_news_that_overtakes_the_answer_of_the_master_wins():
    """A publisher registers right after us: the master has announced it before we hear back."""
    told = []

    def register_subscriber(caller, topic, kind, uri):
        registrar.update(topic, [PUBLISHER])
        return 1, 'subscribed', []

    def unregister_subscriber(caller, topic, uri):
        return 1, 'unregistered', 1

    master = xmlrpc.Server('127.0.0.1', (register_subscriber, unregister_subscriber))
    registrar = Registrar(
        master.uri, '/node', 'http://127.0.0.1:2/', lambda *args: told.append(args)
    )
    try:
        registrar.add(Registration('Subscriber', '/x', ('std_msgs/Float64',), ()))
        assert registrar.wait(20.0)
        assert told[-1] == ('/x', [PUBLISHER])
    finally:
        registrar.close()
        master.close()
