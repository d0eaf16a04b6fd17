"""What both of the peer's services share: the shape of a document, the key check, reading one document."""

import hashlib
import hmac
import os
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Document, session

KEY_HASH = hashlib.sha256(os.environ["API_KEY"].encode()).digest()

Session = Annotated[AsyncSession, Depends(session)]


class DocumentMetadata(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    client_id: str
    filename: str
    file_size: int
    file_type: str
    upload_timestamp: datetime


async def authenticate(x_api_key: Annotated[str, Header()]) -> None:
    if not hmac.compare_digest(hashlib.sha256(x_api_key.encode()).digest(), KEY_HASH):
        raise HTTPException(403, "Invalid API key")


router = APIRouter(prefix="/clients/{client_id}", dependencies=[Depends(authenticate)])


@router.get("/documents/{document_id}", response_model=DocumentMetadata)
async def get_document(client_id: str, document_id: int, session: Session):
    query = select(Document).where(Document.client_id == client_id, Document.id == document_id)
    document = await session.scalar(query)
    if document is None:
        raise HTTPException(404, "Document not found")
    return document
