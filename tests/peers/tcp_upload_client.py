"""A TCP upload client as many a first tutorial shows it, in the words of exercise 03/send.

Only the face is the course's: `client --addr HOST:PORT FILE`, the header and the digest. All else
is the tutorial's way, on purpose: the whole file in memory, no time limit, and "uploaded" is said
as soon as the system has taken the bytes: nobody waits for an answer.
"""

import hashlib
import os
import socket
import struct
import sys

host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
path = sys.argv[-1]
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
    connection.connect((host, int(port)))
    with open(path, "rb") as file:
        content = file.read()
    name = os.path.basename(path).encode()
    connection.sendall(b"FILE" + struct.pack(">HQ", len(name), len(content)) + name)
    connection.sendall(content + hashlib.sha256(content).digest())
    print("uploaded")
