"""The peer's table and its pool: SQLAlchemy 2, async, on asyncpg, which prepares each statement once a connection."""

import os
from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Index, String, func
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# No ping before each use: it would cost the peer a round trip a request.
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=16, max_overflow=0, pool_pre_ping=False)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Document(Base):
    __tablename__ = "document_metadata"
    __table_args__ = (Index("document_metadata_client", "client_id", "id"), {"schema": "peer"})

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(63))
    filename: Mapped[str] = mapped_column(String(255))
    file_size: Mapped[int] = mapped_column(BigInteger)
    file_type: Mapped[str] = mapped_column(String(255))
    file_path: Mapped[str] = mapped_column(String(255))
    upload_timestamp: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class PageView(Base):
    __tablename__ = "page_views"
    __table_args__ = (Index("page_views_viewed", "client_id", "viewed"), {"schema": "peer"})

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(63))
    path: Mapped[str] = mapped_column(String(1024))
    referrer: Mapped[str | None] = mapped_column(String(1024))
    visitor: Mapped[str] = mapped_column(String(64))
    viewed: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session
