"""A TCP upload server as many a first tutorial shows it, in the words of exercise 03/receive.

Only the face is the course's: `server --addr HOST:PORT --dir DIR`, the readiness line, the names of
the files, the answer. All else is the tutorial's way, on purpose: one client after another, the
whole file in memory, written under its final name, and an error of one client ends everybody's
server.
"""

import os
import socket
import sys

host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
folder = sys.argv[sys.argv.index("--dir") + 1]
number = 0
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind((host, int(port)))
    listener.listen(10)
    print("listening on {}:{}".format(*listener.getsockname()), flush=True)
    while True:
        with listener.accept()[0] as connection:
            pieces = []
            while True:
                piece = connection.recv(1024)
                if not piece:
                    break
                pieces.append(piece)
            content = b"".join(pieces)
            number += 1
            name = "{}.bin".format(number)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
            connection.send("stored {} bytes as {}\n".format(len(content), name).encode())
