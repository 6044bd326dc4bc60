# The uploader that most people write first: the whole file in memory, 1024 bytes at a time.
import socket
import sys

role, port, path = sys.argv[1:]
if role == "server":
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        connection, _ = listener.accept()
    parts = []
    with connection:
        while part := connection.recv(1024):
            parts.append(part)
    with open(path, "wb") as file:
        file.write(b"".join(parts))
else:
    with open(path, "rb") as file:
        content = file.read()
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        connection.sendall(content)
