"""Messages sent by libzmq over each transport that iOS has, encrypted too."""

import asyncio
import threading

import pytest
import zmq
import zmq.asyncio
from zmq.backend.cython import _zmq


@pytest.fixture
def context():
    with zmq.Context() as context:
        context.linger = 0
        context.rcvtimeo = context.sndtimeo = 10_000
        yield context


def test_what_libzmq_has():
    assert zmq.Context is not _zmq.Context
    assert issubclass(zmq.Context, _zmq.Context)
    assert zmq.zmq_version_info() >= (4, 3, 4)
    assert zmq.has("curve")


def test_request_and_reply(context):
    with context.socket(zmq.REP) as server, context.socket(zmq.REQ) as client:
        port = server.bind_to_random_port("tcp://127.0.0.1")
        client.connect(f"tcp://127.0.0.1:{port}")
        client.send_json({"n": 1})
        assert server.recv_json() == {"n": 1}
        server.send_multipart([b"one", b"", b"x" * 100_000])
        assert client.recv_multipart() == [b"one", b"", b"x" * 100_000]


def test_subscriptions(context):
    with context.socket(zmq.XPUB) as publisher, context.socket(zmq.SUB) as subscriber:
        publisher.bind("inproc://news")
        subscriber.connect("inproc://news")
        subscriber.subscribe(b"b")
        assert publisher.recv() == b"\x01b"
        for message in (b"a1", b"b1", b"b2"):
            publisher.send(message)
        assert [subscriber.recv(), subscriber.recv()] == [b"b1", b"b2"]


def test_many_threads_push(context):
    def push():
        with context.socket(zmq.PUSH) as socket:
            socket.connect("inproc://work")
            for number in range(50):
                socket.send(number.to_bytes(2, "big"))

    with context.socket(zmq.PULL) as sink:
        sink.bind("inproc://work")
        threads = [threading.Thread(target=push) for _ in range(4)]
        for thread in threads:
            thread.start()
        total = sum(int.from_bytes(sink.recv(), "big") for _ in range(200))
        for thread in threads:
            thread.join()
    assert total == 4 * sum(range(50))


def test_poller(context):
    with context.socket(zmq.PAIR) as one, context.socket(zmq.PAIR) as other:
        one.bind("inproc://pair")
        other.connect("inproc://pair")
        poller = zmq.Poller()
        poller.register(one, zmq.POLLIN)
        assert poller.poll(0) == []
        other.send(b"x")
        assert dict(poller.poll(10_000)) == {one: zmq.POLLIN}


def test_curve(context):
    public, secret = zmq.curve_keypair()
    assert zmq.curve_public(secret) == public
    client_public, client_secret = zmq.curve_keypair()
    with context.socket(zmq.PULL) as server, context.socket(zmq.PUSH) as client:
        server.curve_server = True
        server.curve_secretkey = secret
        port = server.bind_to_random_port("tcp://127.0.0.1")
        client.curve_serverkey, client.curve_publickey, client.curve_secretkey = public, client_public, client_secret
        client.connect(f"tcp://127.0.0.1:{port}")
        client.send(b"secret")
        assert server.recv() == b"secret"


def test_asyncio():
    async def talk():
        with zmq.asyncio.Context() as context, context.socket(zmq.PAIR) as one, context.socket(zmq.PAIR) as other:
            one.bind("inproc://async")
            other.connect("inproc://async")
            received = asyncio.ensure_future(one.recv())
            await other.send(b"later")
            return await asyncio.wait_for(received, 10)

    assert asyncio.run(talk()) == b"later"


def test_errors(context):
    with context.socket(zmq.REQ) as socket, pytest.raises(zmq.ZMQError) as caught:
        socket.recv()
    assert caught.value.errno == zmq.EFSM
