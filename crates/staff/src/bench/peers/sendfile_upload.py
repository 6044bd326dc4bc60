# The system copies the file into the socket; the other side receives into one buffer.
import socket
import sys

role, port, path = sys.argv[1:]
if role == "server":
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        connection, _ = listener.accept()
    buffer = memoryview(bytearray(256 * 1024))
    with connection, open(path, "wb", buffering=0) as file:
        while length := connection.recv_into(buffer):
            file.write(buffer[:length])
else:
    with open(path, "rb") as file, socket.create_connection(("127.0.0.1", int(port))) as connection:
        connection.sendfile(file)
