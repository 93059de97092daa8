"""A model hub on this machine: it serves one folder as huggingface.co serves a model."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c" * 40


@contextmanager
def hub(folder: Path, model_id: str) -> Iterator[str]:
    """Serve a folder under a model's id; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def log_message(self, format: str, *arguments: object) -> None:
            """Keep quiet."""

        def _answer(self, *, body: bool) -> None:
            content = _content(folder, model_id, self.path.partition("?")[0])
            self.send_response(200 if content is not None else 404)
            content = content or b""
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _content(folder: Path, model_id: str, path: str) -> bytes | None:
    names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    if path.startswith(f"/api/models/{model_id}/tree/"):
        listed = [
            {"type": "file", "path": n, "size": (folder / n).stat().st_size, "oid": "0" * 40}
            for n in names
        ]
        return json.dumps(listed).encode()
    if path.startswith(f"/api/models/{model_id}"):
        siblings = [{"rfilename": name} for name in names]
        about = {"_id": "1", "id": model_id, "modelId": model_id, "sha": COMMIT}
        return json.dumps({**about, "siblings": siblings, "private": False}).encode()
    name = path.removeprefix(f"/{model_id}/resolve/{COMMIT}/")
    return (folder / name).read_bytes() if name in names else None
