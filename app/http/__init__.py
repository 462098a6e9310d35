"""What every slice's routes share: errors as answers, request identity, paging, ranges, file bodies."""

from app.http.bodies import BodyCut, continue_later, pieces_of, read_limited
from app.http.connections import Runner
from app.http.errors import answered, logged
from app.http.files import send_file
from app.http.pagination import Page, cut, next_link, page_of
from app.http.ranges import Span, parse_range
from app.http.requests import (
    API_VERSION,
    EXTERNAL_URL,
    TRUSTED_PROXIES,
    base_url,
    client_address,
    is_api,
    is_known,
    mark_answer,
    request_id,
)
from app.http.streams import send_pieces

__all__ = [
    "API_VERSION",
    "EXTERNAL_URL",
    "TRUSTED_PROXIES",
    "BodyCut",
    "Page",
    "Runner",
    "Span",
    "answered",
    "base_url",
    "client_address",
    "continue_later",
    "cut",
    "is_api",
    "is_known",
    "logged",
    "mark_answer",
    "next_link",
    "page_of",
    "parse_range",
    "pieces_of",
    "read_limited",
    "request_id",
    "send_file",
    "send_pieces",
]
