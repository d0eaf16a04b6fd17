"""The seeds' data store: metadata for the document API, health."""

import time

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import text

import telemetry
from database import Document
from routes import DocumentMetadata, Session, router


class NewDocument(BaseModel):
    filename: str
    file_size: int
    file_type: str
    file_path: str


@router.post("/documents", status_code=201, response_model=DocumentMetadata)
async def create_document(client_id: str, new: NewDocument, session: Session):
    document = Document(client_id=client_id, **new.model_dump())
    session.add(document)
    await session.commit()
    return document


app = FastAPI(title="data-store")
telemetry.instrument(app)
app.include_router(router)


@app.get("/health")
async def health(session: Session):
    started = time.perf_counter()
    await session.execute(text("SELECT count(*) FROM (SELECT FROM peer.document_metadata LIMIT 1) AS probe"))
    latency = (time.perf_counter() - started) * 1000
    return {
        "status": "healthy",
        "service": "data-store",
        "database": {"status": "healthy", "latency_ms": latency},
        "tables": {"document_metadata": "healthy"},
    }
