"""A UDP upload server in the way a first tutorial describes, in the words of exercise 05/keyword.

Only the face is the course's: `server --addr HOST:PORT --dir DIR`, the readiness line, the first
byte of each datagram, the answer. All else is the tutorial's way, on purpose: pieces are collected
until the end comes, whoever sent them and however many are missing, and a buffer of 1024 bytes
cuts the longer ones.
"""

import os
import socket
import sys

host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
folder = sys.argv[sys.argv.index("--dir") + 1]
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind((host, int(port)))
print("listening on {}:{}".format(*receiver.getsockname()), flush=True)
pieces, number = [], 0
while True:
    datagram, client = receiver.recvfrom(1024)
    if datagram.startswith(b"D"):
        pieces.append(datagram[1:])
    else:
        content = b"".join(pieces)
        number += 1
        name = "{}.bin".format(number)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
        receiver.sendto("stored {} bytes as {}".format(len(content), name).encode(), client)
        pieces = []
