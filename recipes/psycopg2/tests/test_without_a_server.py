"""libpq and psycopg2's compiled code, with a server of a few lines that says what a PostgreSQL server would."""

import base64
import datetime as dt
import decimal
import hashlib
import hmac
import io
import socket
import struct
import threading
import uuid

import psycopg2
import psycopg2.extras
import pytest
from psycopg2 import errors, extensions

_WORD = "pencil ✓"
_UTC1 = dt.timezone(dt.timedelta(hours=1))
# Of each column its name, its type's OID and what the server sends.
_ROW = [
    ("i", 23, "42"),
    ("big", 20, "-9223372036854775808"),
    ("f", 701, "0.1"),
    ("n", 1700, "12.50"),
    ("t", 25, "Zürich ✓"),
    ("b", 16, "t"),
    ("y", 17, "\\x00ff27"),
    ("d", 1082, "2024-02-29"),
    ("ts", 1184, "2024-02-29 12:30:00.25+01"),
    ("iv", 1186, "-1 days +02:03:04.5"),
    ("a", 1007, "{1,NULL,3}"),
    ("ta", 1009, '{"a,b","c\\"d"}'),
    ("j", 3802, '{"k": [1, null]}'),
    ("z", 25, None),
]


def _message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


class _Server(threading.Thread):
    """Serves one connection; asks for a password (SCRAM-SHA-256) if it has one."""

    def __init__(self, password=None):
        super().__init__(daemon=True)
        self.password = password
        self.startup, self.queries, self.copied = b"", [], b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        try:
            connection, _ = self.listener.accept()
        except TimeoutError:
            return
        with self.listener, connection, connection.makefile("rwb") as self.stream:
            connection.settimeout(20)
            if self._greet():
                while (query := self._read()) and query[0] != b"X":
                    self._answer(query[1].rstrip(b"\0").decode())

    def _send(self, *messages):
        self.stream.write(b"".join(messages))
        self.stream.flush()

    def _read(self, kinds=True):
        head = self.stream.read(5 if kinds else 4)
        if len(head) < 4:
            return None
        (length,) = struct.unpack("!i", head[-4:])
        return head[:-4], self.stream.read(length - 4)

    def _greet(self):
        while message := self._read(kinds=False):
            if message[1] != struct.pack("!i", 80877103):
                break
            # A request for TLS, which it does not have.
            self._send(b"N")
        if not message:
            return False
        self.startup = message[1]
        if self.password and not self._authenticate():
            self._send(_message(b"E", b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0"))
            return False
        status = {
            "server_version": "17.2",
            "server_encoding": "UTF8",
            "client_encoding": "UTF8",
            "DateStyle": "ISO, MDY",
            "integer_datetimes": "on",
            "standard_conforming_strings": "on",
        }
        self._send(
            _message(b"R", struct.pack("!i", 0)),
            *(_message(b"S", f"{name}\0{value}\0".encode()) for name, value in status.items()),
            _message(b"K", struct.pack("!ii", 4321, 1)),
            _message(b"Z", b"I"),
        )
        return True

    def _authenticate(self):
        """The server's side of RFC 7677; without a channel to bind to."""
        self._send(_message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))
        first = self._read()[1].split(b"\0", 1)[1][4:].decode()
        bare = first.split(",", 2)[2]
        salt, nonce = b"salt of the test", bare.split("r=")[1] + "server"
        challenge = f"r={nonce},s={base64.b64encode(salt).decode()},i=4096"
        self._send(_message(b"R", struct.pack("!i", 11) + challenge.encode()))
        final = self._read()[1].decode()
        unproved, _, proof = final.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, 4096)
        key = hmac.digest(salted, b"Client Key", "sha256")
        signed = ",".join([bare, challenge, unproved]).encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        if bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True)) != key:
            return False
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        verifier = b"v=" + base64.b64encode(hmac.digest(server_key, signed, "sha256"))
        self._send(_message(b"R", struct.pack("!i", 12) + verifier))
        return True

    def _answer(self, query):
        self.queries.append(query)
        state = b"I" if query in ("COMMIT", "ROLLBACK") else b"T"
        if query == "SELECT row":
            fields = b"".join(
                name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, oid, -1, -1, 0) for name, oid, _ in _ROW
            )
            cells = b"".join(
                struct.pack("!i", -1) if text is None else struct.pack("!i", len(text.encode())) + text.encode()
                for *_, text in _ROW
            )
            self._send(
                _message(b"T", struct.pack("!h", len(_ROW)) + fields),
                _message(b"D", struct.pack("!h", len(_ROW)) + cells),
            )
        elif query == "SELECT error":
            fields = b"SERROR\0VERROR\0C23505\0Mduplicate key\0tpeople\0npeople_pkey\0\0"
            self._send(_message(b"E", fields), _message(b"Z", b"E"))
            return
        elif query.startswith("COPY"):
            self._send(_message(b"G", struct.pack("!bhh", 0, 1, 0)))
            while (data := self._read())[0] == b"d":
                self.copied += data[1]
        self._send(
            _message(b"N", b"SNOTICE\0VNOTICE\0C00000\0Mheard\0\0"),
            _message(b"C", f"{query.split()[0]} 1\0".encode()),
            _message(b"Z", state),
        )


@pytest.fixture
def server():
    return _Server()


@pytest.fixture
def connection(server):
    connected = _connect(server)
    yield connected
    connected.close()


def _connect(server, sslmode="prefer", **options):
    place = {"host": "127.0.0.1", "port": server.port, "user": "me", "dbname": "db"}
    return psycopg2.connect(**place, sslmode=sslmode, connect_timeout=20, **options)


def test_the_library():
    assert psycopg2.__libpq_version__ == extensions.libpq_version() >= 170000
    assert psycopg2.threadsafety == 2
    assert "lo64" in psycopg2.__version__


def test_a_connection(server, connection):
    assert b"user\0me\0database\0db\0" in server.startup
    assert connection.server_version == 170002
    assert connection.encoding == "UTF8"
    assert connection.info.backend_pid == 4321
    assert connection.info.parameter_status("DateStyle") == "ISO, MDY"
    assert not connection.info.ssl_in_use
    assert connection.info.dsn_parameters["host"] == "127.0.0.1"
    connection.close()
    with pytest.raises(psycopg2.InterfaceError, match="already closed"):
        connection.cursor()


def test_values_of_every_kind(connection):
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("SELECT row")
        assert [column.type_code for column in cursor.description] == [oid for _, oid, _ in _ROW]
        row = cursor.fetchone()
        assert cursor.fetchone() is None
    assert bytes(row.pop("y")) == b"\x00\xff'"
    assert isinstance(row["n"], decimal.Decimal)
    assert row == {
        "i": 42,
        "big": -(2**63),
        "f": 0.1,
        "n": decimal.Decimal("12.50"),
        "t": "Zürich ✓",
        "b": True,
        "d": dt.date(2024, 2, 29),
        "ts": dt.datetime(2024, 2, 29, 12, 30, 0, 250000, _UTC1),
        "iv": dt.timedelta(days=-1, hours=2, minutes=3, seconds=4.5),
        "a": [1, None, 3],
        "ta": ["a,b", 'c"d'],
        "j": {"k": [1, None]},
        "z": None,
    }


def test_arguments_of_queries(server, connection):
    name = uuid.UUID(int=5)
    psycopg2.extras.register_uuid(conn_or_curs=connection)
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT %s %s %s", (1, "it's \\", None))
        cursor.execute("INSERT %(d)s %(n)s %(l)s", {"d": decimal.Decimal("1.5"), "n": -2, "l": [1.5, None]})
        cursor.execute("INSERT %s %s", (b"\x00'\xff", name))
        cursor.execute("INSERT %s", (psycopg2.extras.Json({"a": "b'"}),))
        assert cursor.query == b"INSERT '{\"a\": \"b''\"}'"
        assert cursor.mogrify("%s %%", (dt.date(2024, 2, 29),)) == b"'2024-02-29'::date %"
        psycopg2.extras.execute_values(cursor, "INSERT VALUES %s", [(1, "a"), (2, "b")])
    assert server.queries == [
        "BEGIN",
        "INSERT 1 'it''s \\' NULL",
        "INSERT 1.5  -2 ARRAY[1.5,NULL]",
        "INSERT '\\x0027ff'::bytea '00000000-0000-0000-0000-000000000005'::uuid",
        "INSERT '{\"a\": \"b''\"}'",
        "INSERT VALUES (1,'a'),(2,'b')",
        "COMMIT",
    ]
    assert connection.notices[-1].strip() == "NOTICE:  heard"


def test_errors_of_the_server(server, connection):
    with pytest.raises(errors.UniqueViolation) as caught, connection, connection.cursor() as cursor:
        cursor.execute("SELECT error")
    assert (caught.value.pgcode, caught.value.pgerror) == ("23505", "ERROR:  duplicate key\n")
    assert (caught.value.diag.table_name, caught.value.diag.constraint_name) == ("people", "people_pkey")
    assert isinstance(caught.value, psycopg2.IntegrityError)
    assert server.queries[-1] == "ROLLBACK"


def test_copy(server, connection):
    with connection.cursor() as cursor:
        cursor.copy_expert("COPY t FROM STDIN", io.StringIO("1\tä\n2\t\\N\n"))
        assert cursor.rowcount == 1
    assert server.copied == "1\tä\n2\t\\N\n".encode()


def test_a_password():
    connection = _connect(_Server(_WORD), password=_WORD)
    assert connection.info.used_password
    connection.close()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        _connect(_Server(_WORD), password=_WORD[1:])


def test_tls_is_compiled_in(server):
    with pytest.raises(psycopg2.OperationalError, match="server does not support SSL"):
        _connect(server, sslmode="require")


def test_nobody_listens():
    with pytest.raises(psycopg2.OperationalError, match="Connection refused"):
        psycopg2.connect("postgresql://me@127.0.0.1:1/db?connect_timeout=20")


def test_connection_strings():
    uri = "postgresql://me:p%40ss@[::1]:5433/db?application_name=a%20b&sslmode=verify-full"
    assert extensions.parse_dsn(uri) == {
        "user": "me",
        "password": "p@ss",
        "host": "::1",
        "port": "5433",
        "dbname": "db",
        "application_name": "a b",
        "sslmode": "verify-full",
    }
    parts = {"dbname": "db", "host": "h h", "password": "it's"}
    assert extensions.parse_dsn(extensions.make_dsn(**parts)) == parts
    with pytest.raises(psycopg2.ProgrammingError, match="missing"):
        extensions.parse_dsn("nothing")


def test_adapting_and_casting_without_a_connection():
    assert extensions.adapt(5).getquoted() == b"5"
    assert extensions.adapt(-5).getquoted() == b" -5"
    assert extensions.adapt(float("nan")).getquoted() == b"'NaN'::float"
    assert extensions.adapt(True).getquoted() == b"true"
    assert extensions.QuotedString("it's").getquoted() == b"'it''s'"
    assert extensions.AsIs("now()").getquoted() == b"now()"
    assert extensions.adapt([1, [2]]).getquoted() == b"ARRAY[1,ARRAY[2]]"
    assert extensions.adapt(dt.timedelta(days=1, seconds=2)).getquoted() == b"'1 days 2.000000 seconds'::interval"
    assert psycopg2.Binary(b"\x00").getquoted() == b"'\\000'::bytea"
    assert extensions.DECIMAL("1.5", None) == decimal.Decimal("1.5")
    assert extensions.INTEGERARRAY("{1,2}", None) == [1, 2]
    assert extensions.PYINTERVAL("1 year 2 mons", None) == dt.timedelta(days=425)
    with pytest.raises(psycopg2.ProgrammingError, match="can't adapt"):
        extensions.adapt(object())


def test_encrypted_passwords():
    # MD5 of the password and the name.
    assert extensions.encrypt_password("pw", "me", algorithm="md5") == "md54ca7aba53406115a1b672defff862bfc"
