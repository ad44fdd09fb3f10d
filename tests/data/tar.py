"""Members of archives, byte by byte, such as ``tarfile`` would not make."""

import tarfile

BLOCK = 512


def member(
    name: str,
    content: bytes = b"",
    *,
    kind: bytes = tarfile.REGTYPE,
    link: str = "",
    size: int = -1,
    mode: int = 0o644,
) -> bytes:
    """A header and its padded content; the size may lie."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    info.size = len(content) if size < 0 else size
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % BLOCK)
