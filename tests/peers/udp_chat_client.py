"""A UDP chat client as many a first tutorial shows it, in the words of exercise 04/retry.

Only the face is the course's: `client --addr HOST:PORT QUESTION…`, the id before each question. All
else is the tutorial's way, on purpose: every question is sent once, the next datagram is taken for
its answer, whoever sent it, a buffer of 1024 bytes cuts the longer ones, and without an answer it
waits for ever.
"""

import random
import socket
import struct
import sys

host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
server = (host, int(port))
# Behind `client --addr HOST:PORT`, past options and their values.
questions = sys.argv[4:]
while questions[0].startswith("--"):
    questions = questions[2:]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
first = random.getrandbits(32)
for number, question in enumerate(questions):
    sender.sendto(struct.pack(">I", (first + number) % 2**32) + question.encode(), server)
    answer, _ = sender.recvfrom(1024)
    sys.stdout.buffer.write(answer[4:] + b"\n")
sender.close()
