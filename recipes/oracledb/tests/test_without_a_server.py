"""What the compiled code does before it reaches a server."""

import array
import socket
import threading

import oracledb
import pytest
from oracledb import base_impl, thin_impl


def test_the_driver_is_thin():
    assert oracledb.is_thin_mode()
    assert issubclass(thin_impl.ThinConnImpl, base_impl.BaseConnImpl)


def test_connect_strings_are_parsed():
    params = oracledb.ConnectParams(user="u")
    params.parse_connect_string("tcps://db.example.com:1522/service?ssl_server_dn_match=off&retry_count=3")
    assert (params.protocol, params.host, params.port, params.service_name) == (
        "tcps",
        "db.example.com",
        1522,
        "service",
    )
    assert (params.ssl_server_dn_match, params.retry_count) == (False, 3)
    text = params.get_connect_string()
    assert "(HOST=db.example.com)(PORT=1522)" in text
    again = oracledb.ConnectParams()
    again.parse_connect_string(text)
    assert (again.host, again.port, again.service_name, again.retry_count) == ("db.example.com", 1522, "service", 3)


def test_a_wrong_connect_string():
    with pytest.raises(oracledb.ProgrammingError, match="DPY-"):
        oracledb.ConnectParams().parse_connect_string("(DESCRIPTION=(ADDRESS=")


def test_sparse_vectors():
    vector = oracledb.SparseVector(6, [1, 4], array.array("d", [0.5, -2]))
    assert vector.num_dimensions == 6
    assert list(vector.indices) == [1, 4]
    assert list(vector.values) == [0.5, -2]
    assert "6" in str(vector)
    with pytest.raises((TypeError, ValueError)):
        oracledb.SparseVector(6, [1, 4], array.array("d", [0.5]))


def test_intervals():
    assert oracledb.IntervalYM(2, -3).years == 2


def test_a_server_gets_the_first_packet():
    got = []

    def serve(listener):
        connection, _ = listener.accept()
        with connection:
            got.append(connection.recv(8192))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        with pytest.raises(oracledb.OperationalError):
            oracledb.connect(user="u", password="p", dsn=f"127.0.0.1:{listener.getsockname()[1]}/service")  # noqa: S106
        thread.join()
    length, packet_type = int.from_bytes(got[0][:2], "big"), got[0][4]
    assert packet_type == 1  # a connect packet of Oracle's protocol
    assert length >= 58
    assert b"SERVICE_NAME=service" in got[0]
