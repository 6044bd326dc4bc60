"""A UDP chat server as many a first tutorial shows it, in the words of exercise 04/reply.

Only the face is the course's: `server --addr HOST:PORT`, the readiness line, the reversed answer.
All else is the tutorial's way, on purpose: one datagram, a buffer of 1024 bytes, text where bytes
come, and then the end.
"""

import socket
import sys

host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind((host, int(port)))
print("listening on {}:{}".format(*receiver.getsockname()), flush=True)
message, client = receiver.recvfrom(1024)
print("the client says:", message.decode())
receiver.sendto(message[::-1], client)
receiver.close()
