"""A TCP chat server as many a first tutorial shows it, in the words of exercise 02/answer.

Only the face is the course's: `server --addr HOST:PORT`, the readiness line, the answer. All else
is the tutorial's way, on purpose: one client, one recv(1024) taken for the whole message, send
taken for sendall, text where bytes come, no SO_REUSEADDR, and then the end.
"""

import socket
import sys

host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind((host, int(port)))
listener.listen()
print("listening on {}:{}".format(*listener.getsockname()), flush=True)
connection, address = listener.accept()
message = connection.recv(1024)
print("the client says:", message.decode())
connection.send("你好, {} bytes\n".format(len(message)).encode())
connection.close()
listener.close()
