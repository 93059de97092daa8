"""The handbook, as pages of the program."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse

from entroscope.api.handbook.pages import index_html, page_html

router = APIRouter(prefix="/guide", include_in_schema=False)


@router.get("")
def get_contents() -> HTMLResponse:
    """Return the table of contents."""
    return _page(index_html())


@router.get("/")
def get_contents_without_slash() -> RedirectResponse:
    """Redirect to the table of contents, whose links start from there."""
    return RedirectResponse("../guide")


@router.get("/{slug}")
def get_guide_page(slug: str) -> HTMLResponse:
    """Return one page."""
    return _page(page_html(slug))


def _page(html: str) -> HTMLResponse:
    return HTMLResponse(html, headers={"Cache-Control": "no-cache"})
