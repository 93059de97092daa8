"""The page: its files, and the Plotly that comes with the plotly package."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from entroscope.paths import page_folder


class Page(StaticFiles):
    """Files that a browser asks for anew each time and mostly gets as "not modified"."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def plotly_file() -> Path:
    """Return Plotly's script, without importing the package."""
    package = find_spec("plotly")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the plotly package is not installed")
    return Path(package.submodule_search_locations[0], "package_data", "plotly.min.js")


def add_page(app: FastAPI) -> None:
    """Serve the page at /, behind all other routes."""

    @app.get("/plotly.min.js", include_in_schema=False)
    async def get_plotly() -> FileResponse:
        headers = {"Cache-Control": "no-cache"}
        return FileResponse(plotly_file(), media_type="text/javascript", headers=headers)

    app.mount("/", Page(directory=page_folder(), html=True, check_dir=False))
