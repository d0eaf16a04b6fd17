"""The seeds' document API: upload, metadata, list, health."""

import os
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI, UploadFile
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select, text

import page_views  # noqa: F401: its route is the router's
import telemetry
from database import Document
from routes import DocumentMetadata, Session, router

UPLOADS = Path(os.environ["UPLOADS"])


def save(path: Path, content: bytes) -> None:
    """Durable, as the upload that it is compared with: the file, and the folder that names it."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@router.put("/upload-document", status_code=201)
async def upload_document(client_id: str, file: UploadFile, session: Session):
    content = await file.read()
    path = UPLOADS / str(uuid4())
    await run_in_threadpool(save, path, content)
    document = Document(
        client_id=client_id,
        filename=file.filename or "document",
        file_size=len(content),
        file_type=file.content_type or "application/octet-stream",
        file_path=str(path),
    )
    session.add(document)
    await session.commit()
    return {
        "message": "Document uploaded successfully",
        "client_id": client_id,
        "document_id": document.id,
        "metadata": DocumentMetadata.model_validate(document),
    }


@router.get("/documents", response_model=list[DocumentMetadata])
async def list_documents(client_id: str, session: Session, before: int = 2**63 - 1, limit: int = 50):
    query = select(Document).where(Document.client_id == client_id, Document.id < before)
    return await session.scalars(query.order_by(Document.id.desc()).limit(limit))


app = FastAPI(title="document-api")
telemetry.instrument(app)
app.include_router(router)


@app.get("/health")
async def health(session: Session):
    await session.execute(text("SELECT 1"))
    return {
        "status": "healthy",
        "service": "document-api",
        "timestamp": datetime.now(timezone.utc),
        "components": {"file_system": "healthy" if UPLOADS.is_dir() else "unhealthy", "data_store": "healthy"},
        "version": "1.0.0",
    }
