"""Says "hello" and "wie geht es" to a server of KIND at WHERE and prints its answers."""

import os
import socket
import sys
import tempfile

kind, where = sys.argv[1:]
messages = ["hello", "wie geht es"]
if where.startswith("unix:"):
    family, address = socket.AF_UNIX, where.removeprefix("unix:")
else:
    host, port = where.rsplit(":", 1)
    family, address = socket.AF_INET, (host, int(port))

if kind in ("tcp", "unix"):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(20)
        s.connect(address)
        s.sendall("".join(message + "\n" for message in messages).encode())
        s.shutdown(socket.SHUT_WR)
        while data := s.recv(1024):
            print(data.decode(), end="")
else:
    with socket.socket(family, socket.SOCK_DGRAM) as s, tempfile.TemporaryDirectory() as folder:
        s.settimeout(20)
        if family != socket.AF_INET:
            # Without an address of its own nobody could answer it.
            s.bind(os.path.join(folder, "client"))
        s.connect(address)
        for message in messages:
            s.send(message.encode())
            print(s.recv(1024).decode())
