"""FreeTDS and pymssql's compiled code, with a server of a few lines that says what SQL Server would (MS-TDS 7.3)."""

import contextlib
import datetime as dt
import decimal
import socket
import struct
import threading

import pymssql
import pytest
from pymssql import _mssql

DONE = struct.pack("<BHHQ", 0xFD, 0, 0, 0)
ROWS = [(1, "Zürich ✓", 0.1, decimal.Decimal("-12.50")), (2, None, -2.5, None)]


def name(text):
    return bytes([len(text)]) + text.encode("utf-16-le")


def login_ack():
    body = b"\x01" + bytes.fromhex("730b0003") + name("Server") + bytes([16, 0, 0, 1])
    return b"\xad" + struct.pack("<H", len(body)) + body + DONE


def error(number, text):
    body = struct.pack("<IBBH", number, 1, 16, len(text)) + text.encode("utf-16-le") + name("S") + name("") + bytes(4)
    return b"\xaa" + struct.pack("<H", len(body)) + body + struct.pack("<BHHQ", 0xFD, 2, 0, 0)


def number(value):
    if value is None:
        return b"\x00"
    return bytes([5, value >= 0]) + struct.pack("<I", abs(int(value * 100)))


def text(value):
    if value is None:
        return b"\xff\xff"
    data = value.encode("utf-16-le")
    return struct.pack("<H", len(data)) + data


def result():
    column = struct.pack("<IH", 0, 1)
    answer = b"\x81" + struct.pack("<H", 5)
    answer += column + b"\x38" + name("i")
    answer += column + b"\xe7" + struct.pack("<H", 200) + bytes.fromhex("0904d00034") + name("t")
    answer += column + b"\x3e" + name("f")
    answer += column + b"\x6a\x05\x09\x02" + name("n")
    answer += column + b"\x3d" + name("d")
    for i, t, f, n in ROWS:
        answer += b"\xd1" + struct.pack("<i", i) + text(t) + struct.pack("<d", f) + number(n)
        # 2024-02-29 12:30 in days since 1900 and in 1/300 seconds.
        answer += struct.pack("<iI", 45349, 45000 * 300)
    return answer + struct.pack("<BHHQ", 0xFD, 0x10, 0xC1, len(ROWS))


def read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def serve(listener, password_is_right, seen):
    connection, _ = listener.accept()
    with connection, contextlib.suppress(EOFError, OSError):
        while True:
            kind, _, length, *_ = struct.unpack(">BBHHBB", read(connection, 8))
            body = read(connection, length - 8)
            if kind == 0x12:
                # Neither side can encrypt: 2.
                answer = struct.pack(">BHHBHHB", 0, 11, 6, 1, 17, 1, 0xFF) + bytes([16, 0, 0, 1, 0, 0, 2])
            elif kind == 0x10:
                answer = login_ack() if password_is_right else error(18456, "Login failed for user 'sa'.")
            else:
                query = body[struct.unpack("<I", body[:4])[0] :].decode("utf-16-le")
                seen.append(query)
                answer = DONE
                if "FROM cities" in query:
                    answer = result()
                elif "FROM nowhere" in query:
                    answer = error(208, "Invalid object name 'nowhere'.")
            connection.sendall(struct.pack(">BBHHBB", 4, 1, len(answer) + 8, 0, 1, 0) + answer)


@contextlib.contextmanager
def server(password_is_right=True):
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener, password_is_right, seen), daemon=True).start()
        yield listener.getsockname()[1], seen


def connect(port, **options):
    return pymssql.connect("127.0.0.1", "sa", "secret", port=str(port), tds_version="7.3", login_timeout=20, **options)


def test_query():
    with server() as (port, seen), connect(port) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT i, t, f, n, d FROM cities WHERE t = %s", ("O'Hare",))
        rows = cursor.fetchall()
        assert [column[0] for column in cursor.description] == ["i", "t", "f", "n", "d"]
        assert [row[:4] for row in rows] == ROWS
        assert rows[0][4] == dt.datetime(2024, 2, 29, 12, 30)
        assert any("O''Hare" in query for query in seen)


def test_dictionaries():
    with server() as (port, _), connect(port, as_dict=True) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT i, t, f, n, d FROM cities")
        assert cursor.fetchone()["t"] == "Zürich ✓"


def test_errors():
    with server() as (port, _), connect(port) as connection:
        with pytest.raises(pymssql.ProgrammingError, match="nowhere") as caught:
            connection.cursor().execute("SELECT 1 FROM nowhere")
        assert caught.value.args[0] == 208


def test_login_failed():
    with server(password_is_right=False) as (port, _), pytest.raises(pymssql.OperationalError, match="Login failed"):
        connect(port)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(pymssql.OperationalError):
        connect(port)


def test_parameters():
    assert _mssql.substitute_params("SELECT %s, %d, %s", ("O'Hare", 3, None)) == b"SELECT N'O''Hare', 3, NULL"
    assert pymssql.get_max_connections() > 0
