"""The web process of a center as strangers reach it: by its socket, with whatever bytes they like. Somebody is signed in there."""

import json
import os
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.support.api_center import ApiCenter
from tests.support.people import PASSWORD


@dataclass
class Told:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def sentence(self) -> str:
        return str(json.loads(self.raw)["detail"])


@dataclass
class Web:
    """The web process of a center, and an admin who has signed in."""

    center: ApiCenter
    uploads: Path
    """Where it puts what it receives."""
    cookie: str = ""
    token: str = ""
    """Of forms."""

    def signs_in(self, name: str) -> None:
        form = urlencode({"name": name, "password": PASSWORD}).encode()
        entered = self.send("POST", "/sign-in", form, Content_Type="application/x-www-form-urlencoded")
        assert entered.status == 303, entered.raw
        self.cookie = entered.headers["set-cookie"].partition(";")[0]
        page = self.send("GET", "/account", Accept="text/html")
        self.token = re.findall(rb'name="form_token" value="([^"]+)"', page.raw)[0].decode()

    @contextmanager
    def line(self, seconds: float = 30.0) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.center.port), timeout=seconds) as line:
            yield line

    def head(self, method: str, path: str, *, api: bool = False, **headers: str) -> bytes:
        """The first lines of a request, as the admin's browser or her program sends them."""
        given = {"Host": f"127.0.0.1:{self.center.port}", "Connection": "close"}
        if api:
            given |= {"Authorization": f"Bearer {self.center.tokens['root']}", "Content-Type": "application/json"}
        else:
            given |= {"Origin": f"http://127.0.0.1:{self.center.port}", "Cookie": self.cookie, "X-Form-Token": self.token}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return "".join([f"{method} {path} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in given.items()), "\r\n"]).encode()

    def send(self, method: str, path: str, body: bytes | Iterable[bytes] = b"", *, api: bool = False, **headers: str) -> Told:
        """One request. An iterable comes in chunks."""
        parts = [body] if isinstance(body, bytes) else body
        how = {"Content_Length": str(len(body))} if isinstance(body, bytes) else {"Transfer_Encoding": "chunked"}
        with self.line() as line:
            line.sendall(self.head(method, path, api=api, **(how | headers)))
            try:
                for part in parts:
                    line.sendall(part if isinstance(body, bytes) else f"{len(part):x}\r\n".encode() + part + b"\r\n")
                if not isinstance(body, bytes):
                    line.sendall(b"0\r\n\r\n")
            except OSError:
                pass  # it has heard enough; what it says is there to be read
            return told(line)

    def memory(self) -> int:
        """Bytes that it has taken at most, so far."""
        status = Path(f"/proc/{self.center.web}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024

    def left(self) -> list[str]:
        """Files that are still there, named or not."""
        held = [os.readlink(each) for each in Path(f"/proc/{self.center.web}/fd").iterdir() if each.is_symlink()]
        return [*map(str, self.uploads.rglob("*")), *(path for path in held if path.startswith(str(self.uploads)))]


def told(line: socket.socket) -> Told:
    """What is answered, until the line is closed or the whole answer is here."""
    read = b""
    try:
        while part := line.recv(65536):
            read += part
            top, found, rest = read.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", top)
            if found and length and len(rest) >= int(length[1]):
                break
    except ConnectionResetError:
        pass
    top, _, rest = read.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    assert first.startswith("HTTP/1."), read
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    return Told(int(first.split()[1]), headers, rest)
