"""Files that people and networks bring in place of the archive."""

import io
import zipfile
from collections.abc import Callable

WEB_PAGE = b"<html><body>404 not found</body></html>"
LFS_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd\n"
    b"size 31035704\n"
)
ZSTD = bytes.fromhex("28b52ffd04584d00001000000100b3f30116bddbcb4f")


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def zip_of(**members: bytes) -> bytes:
    def write(stream: io.BytesIO) -> None:
        with zipfile.ZipFile(stream, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return written(write)
