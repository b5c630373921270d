"""A database in memory; rows and collections are in compiled code."""

from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.engine import row
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    addresses: Mapped[list["Address"]] = relationship(back_populates="user")


class Address(Base):
    __tablename__ = "address"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User] = relationship(back_populates="addresses")


def test_the_compiled_code_is_taken():
    import sqlalchemy.util.langhelpers  # noqa: F401
    from sqlalchemy.util import has_compiled_ext

    assert has_compiled_ext()
    assert row.Row


def test_rows():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(name="ü", addresses=[Address(email="a@b"), Address(email="c@d")]))
        session.commit()
        asked = select(User.name, func.count(Address.id)).join(Address).group_by(User.name)
        assert session.execute(asked).all() == [("ü", 2)]
        (user,) = session.scalars(select(User))
        assert [address.email for address in user.addresses] == ["a@b", "c@d"]
