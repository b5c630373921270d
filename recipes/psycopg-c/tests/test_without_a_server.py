"""psycopg with its C implementation and libpq, and a server of a few lines that says what a PostgreSQL server would."""

import datetime as dt
import decimal
import ipaddress
import socket
import struct
import threading
import uuid

import psycopg
import pytest
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.json import Jsonb

# Of each column its name, its type's OID, what a server sends as text and as binary, and what comes out.
_COLUMNS = [
    ("i", 23, b"42", struct.pack("!i", 42), 42),
    ("big", 20, b"-9223372036854775808", struct.pack("!q", -(2**63)), -(2**63)),
    ("f", 701, b"0.1", struct.pack("!d", 0.1), 0.1),
    ("n", 1700, b"12.50", struct.pack("!hhHhhh", 2, 0, 0, 2, 12, 5000), decimal.Decimal("12.50")),
    ("t", 25, "Zürich ✓".encode(), "Zürich ✓".encode(), "Zürich ✓"),
    ("b", 16, b"t", b"\1", True),
    ("y", 17, b"\\x00ff27", b"\0\xff'", b"\0\xff'"),
    ("d", 1082, b"2024-02-29", struct.pack("!i", 8825), dt.date(2024, 2, 29)),
    ("u", 2950, b"12345678-1234-5678-1234-567812345678", uuid.UUID(int=0x12345678123456781234567812345678).bytes,
     uuid.UUID(int=0x12345678123456781234567812345678)),
    ("a", 1007, b"{1,NULL,3}",
     struct.pack("!iiIiiiiiii", 1, 1, 23, 3, 1, 4, 1, -1, 4, 3), [1, None, 3]),
    ("j", 3802, b'{"k": [1, null]}', b'\1{"k": [1, null]}', {"k": [1, None]}),
    ("ip", 869, b"::1", b"\3\x80\0\x10" + ipaddress.ip_address("::1").packed, ipaddress.ip_address("::1")),
    ("z", 25, None, None, None),
]  # fmt: skip


def _message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def _row_of(binary):
    fields = b"".join(
        name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, oid, -1, -1, int(binary)) for name, oid, *_ in _COLUMNS
    )
    cells = [column[3] if binary else column[2] for column in _COLUMNS]
    packed = b"".join(struct.pack("!i", -1) if c is None else struct.pack("!i", len(c)) + c for c in cells)
    count = struct.pack("!h", len(_COLUMNS))
    return _message(b"T", count + fields), _message(b"D", count + packed)


class _Server(threading.Thread):
    """Serves one connection: a row to each question, of either protocol of queries."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked, self.parameters = [], b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        with self.listener, connection, connection.makefile("rwb") as self.stream:
            connection.settimeout(20)
            self._greet()
            self.state, self.binary = b"I", False
            answers = {
                b"Q": self._query, b"P": self._parse, b"B": self._bind, b"D": self._describe, b"E": self._execute,
                b"S": self._sync,
            }  # fmt: skip
            while (message := self._read()) and message[0] != b"X":
                answer = answers.get(message[0], lambda _: b"")(message[1])
                self.stream.write(answer)
                self.stream.flush()

    def _read(self, head=5):
        start = self.stream.read(head)
        if len(start) < head:
            return None
        return start[:-4], self.stream.read(struct.unpack("!i", start[-4:])[0] - 4)

    def _greet(self):
        while self._read(4)[1] == struct.pack("!i", 80877103):
            self.stream.write(b"N")  # no TLS here
            self.stream.flush()
        status = {"server_version": "17.2", "client_encoding": "UTF8", "DateStyle": "ISO, MDY", "TimeZone": "UTC"}
        self.stream.write(_message(b"R", struct.pack("!i", 0)))
        self.stream.write(b"".join(_message(b"S", f"{k}\0{v}\0".encode()) for k, v in status.items()))
        self.stream.write(_message(b"K", struct.pack("!ii", 1, 1)) + _message(b"Z", b"I"))
        self.stream.flush()

    def _ready(self):
        return _message(b"Z", self.state)

    def _query(self, body):
        query = body.rstrip(b"\0").decode()
        self.asked.append(query)
        self.state = b"I" if query in ("COMMIT", "ROLLBACK") else b"T"
        if query == "wrong":
            self.state = b"E"
            return _message(b"E", b"SERROR\0VERROR\0C42601\0Msyntax error\0P1\0\0") + self._ready()
        if query.startswith("SELECT"):
            return b"".join(_row_of(False)) + _message(b"C", b"SELECT 1\0") + self._ready()
        return _message(b"C", query.encode() + b"\0") + self._ready()

    def _parse(self, body):
        self.asked.append(body.split(b"\0")[1].decode())
        return _message(b"1")

    def _bind(self, body):
        self.parameters = body
        self.binary = body.endswith(b"\0\1\0\1")
        return _message(b"2")

    def _describe(self, _):
        return _row_of(self.binary)[0]

    def _execute(self, _):
        return _row_of(self.binary)[1] + _message(b"C", b"SELECT 1\0")

    def _sync(self, _):
        return self._ready()


@pytest.fixture
def server():
    return _Server()


@pytest.fixture
def connection(server):
    conninfo = psycopg.conninfo.make_conninfo(host="127.0.0.1", port=server.port, dbname="x y", user="it's me")
    with psycopg.connect(conninfo) as made:
        yield made


def test_it_is_the_c_implementation():
    assert pq.__impl__ == "c"
    assert pq.version() >= 180000
    assert pq.__build_version__ // 10000 == pq.version() // 10000


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_every_type_comes_out(server, connection, binary):
    found = connection.execute("SELECT %s, %s", (7, "x"), binary=binary).fetchone()
    assert found == tuple(column[4] for column in _COLUMNS)
    assert [type(value) for value in found] == [type(column[4]) for column in _COLUMNS]
    assert server.asked == ["BEGIN", "SELECT $1, $2"]
    assert b"\0\0\0\1x" in server.parameters


def test_a_query_without_parameters(server, connection):
    cursor = connection.execute("SELECT row")
    assert [column.name for column in cursor.description] == [column[0] for column in _COLUMNS]
    assert cursor.fetchall()[0][4] == "Zürich ✓"
    connection.rollback()
    assert server.asked == ["BEGIN", "SELECT row", "ROLLBACK"]
    assert connection.info.parameter_status("server_version") == "17.2"
    assert (connection.info.dbname, connection.info.user) == ("x y", "it's me")


def test_an_error_of_the_server(connection):
    with pytest.raises(psycopg.errors.SyntaxError, match="syntax error") as caught:
        connection.execute("wrong")
    assert (caught.value.sqlstate, caught.value.diag.statement_position) == ("42601", "1")
    assert connection.info.transaction_status == pq.TransactionStatus.INERROR
    connection.rollback()


@pytest.mark.parametrize("kind", list(PyFormat))
@pytest.mark.parametrize(
    "value",
    [1, -(2**40), 10**30, 0.5, "ä", True, dt.datetime(2024, 2, 29, 1, 2, 3, 4), dt.timedelta(days=-1),
     decimal.Decimal("-1.50"), uuid.UUID(int=5), [1, None, 2], Jsonb({"k": 1})],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_dumped_is_loaded(value, kind):
    there = Transformer()
    (data,) = there.dump_sequence([value], [kind])
    loader = there.get_loader(there.types[0], there.formats[0])
    wanted = value.obj if isinstance(value, Jsonb) else value
    if there.types[0]:
        assert loader.load(data) == wanted
    else:
        assert bytes(data).decode() == wanted  # text, whose type is left to the server


def test_escaping():
    assert pq.Escaping().escape_string(b"it's") == b"it''s"
    assert pq.Escaping().unescape_bytea(b"\\x00ff") == b"\0\xff"


def test_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(f"host=127.0.0.1 port={port} connect_timeout=5")


def test_a_connection_string_that_is_none():
    with pytest.raises(psycopg.ProgrammingError, match="nonsense"):
        psycopg.conninfo.conninfo_to_dict("nonsense=1")
