"""Databases of SQLite as it is linked in, with its extensions."""

import apsw
import apsw.ext
import apsw.fts5
import apsw.unicode
import pytest


@pytest.fixture
def database():
    connection = apsw.Connection(":memory:")
    yield connection
    connection.close()


def test_the_version_and_its_extensions():
    assert apsw.sqlite_lib_version() == "3.53.4" == apsw.apsw_version().rpartition(".")[0]
    assert {"ENABLE_FTS5", "ENABLE_RTREE", "ENABLE_SESSION", "ENABLE_STAT4", "THREADSAFE=1"} <= set(
        apsw.compile_options
    )


def test_values(database):
    values = (None, 2**40, 0.5, "smör", b"\x00\xff")
    assert database.execute("select ?, ?, ?, ?, ?", values).get == values


def test_functions_and_aggregates(database):
    database.create_scalar_function("twice", lambda number: 2 * number)
    assert database.execute("select twice(21), pow(2, 10), percentile(value, 50) from json_each('[1, 5, 9]')").get == (
        42,
        1024.0,
        5.0,
    )


def test_full_text(database):
    database.execute("create virtual table t using fts5(body, tokenize='unicode61 remove_diacritics 2')")
    database.executemany("insert into t values (?)", [("Über den Wolken",), ("unter dem Meer",), ("wolken und meer",)])
    found = database.execute("select rowid from t('uber OR meer') order by rowid").fetchall()
    assert found == [(1,), (2,), (3,)]
    assert database.execute("select highlight(t, 0, '<', '>') from t('wolken') order by rank").fetchall()[0][0] in (
        "Über den <Wolken>",
        "<wolken> und meer",
    )


def test_areas(database):
    database.execute("create virtual table r using rtree(id, x0, x1, y0, y1)")
    database.executemany("insert into r values (?, ?, ?, 0, 1)", [(n, n, n + 0.5) for n in range(100)])
    assert database.execute("select id from r where x1 >= 9.75 and x0 <= 12.25").fetchall() == [(10,), (11,), (12,)]
    assert database.execute("select geopoly_area('[[0,0],[2,0],[2,2],[0,2],[0,0]]')").get == 4.0


def test_virtual_tables(database):
    def squares(count):
        for number in range(count):
            yield {"number": number, "square": number**2}

    squares.columns = ("number", "square")
    squares.column_access = apsw.ext.VTColumnAccess.By_Name
    apsw.ext.make_virtual_module(database, "squares", squares)
    assert database.execute("select sum(square) from squares(5)").get == 30


def test_changes_are_recorded_and_repeated(database):
    database.execute("create table t(id primary key, name)")
    session = apsw.Session(database, "main")
    session.attach("t")
    database.execute("insert into t values (1, 'one'), (2, 'two')")
    with apsw.Connection(":memory:") as other:
        other.execute("create table t(id primary key, name)")
        apsw.Changeset.apply(session.changeset(), other)
        assert other.execute("select name from t order by id").fetchall() == [("one",), ("two",)]


def test_backup_blobs_and_files(database, tmp_path):
    database.execute("create table b(data)")
    database.execute("insert into b values (zeroblob(10))")
    with database.blob_open("main", "b", "data", 1, True) as blob:
        blob.write(b"abc")
    copy = apsw.Connection(str(tmp_path / "copy.db"))
    with copy.backup("main", database, "main") as backup:
        backup.step()
    assert copy.pragma("journal_mode", "wal") == "wal"
    assert copy.execute("select data from b").get == b"abc" + bytes(7)
    copy.close()


def test_unicode():
    assert list(apsw.unicode.grapheme_iter("e\u0301🏳️‍🌈")) == ["e\u0301", "🏳️‍🌈"]
    assert apsw.unicode.strip("À-B") == "AB"
    assert apsw.unicode.text_width("日本") == 4


def test_errors(database):
    with pytest.raises(apsw.SQLError, match="no such table"):
        database.execute("select * from missing")
    database.execute("create table u(a unique)")
    database.execute("insert into u values (1)")
    with pytest.raises(apsw.ConstraintError) as caught:
        database.execute("insert into u values (1)")
    assert caught.value.extendedresult == apsw.SQLITE_CONSTRAINT_UNIQUE
