"""The seeds' route for page views: little validation, one insert for all views of a request."""

import hashlib
from typing import Annotated

from fastapi import Header, Request
from pydantic import BaseModel, Field
from sqlalchemy import insert

from database import PageView
from routes import Session, router


class NewPageView(BaseModel):
    path: str = Field(min_length=1, max_length=1024)
    referrer: str | None = None


class NewPageViews(BaseModel):
    views: list[NewPageView] = Field(min_length=1, max_length=1000)


@router.post("/page-views", status_code=202)
async def record_page_views(
    client_id: str, new: NewPageViews, request: Request, session: Session, user_agent: Annotated[str, Header()]
):
    visitor = hashlib.sha256(f"{request.client.host}{user_agent}".encode()).hexdigest()
    rows = [{"client_id": client_id, "visitor": visitor, **view.model_dump()} for view in new.views]
    await session.execute(insert(PageView), rows)
    await session.commit()
    return {"accepted": len(rows)}
