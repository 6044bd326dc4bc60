# A thread for each connection.
import socket
import sys
import threading


def attend(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        while data := connection.recv(4096):
            connection.sendall(data)


with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listener:
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=attend, args=(peer,), daemon=True).start()
