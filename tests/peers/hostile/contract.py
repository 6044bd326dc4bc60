"""What the hostile programs share: the orderly part of a server for lesson 2's first exercise."""

import os
import socket
import sys
import time


def address():
    """That of `server --addr HOST:PORT`."""
    host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
    return host, int(port)


def listen():
    """A listening socket on the address."""
    return socket.create_server(address())


def refuse():
    """A socket on the address that does not listen. The port is ours: nobody else can listen there."""
    refusing = socket.socket()
    refusing.bind(address())
    return refusing


def announce(bound):
    say("listening on %s:%d" % bound.getsockname())


def say(line):
    print(line, flush=True)


def serve(listener):
    """Answers everybody, as the exercise asks for."""
    while True:
        connection, _ = listener.accept()
        with connection:
            length = 0
            while piece := connection.recv(65536):
                length += len(piece)
            connection.sendall(f"你好, {length} bytes\n".encode())


def serve_wrongly(listener):
    """Closes every connection and never answers."""
    while True:
        connection, _ = listener.accept()
        while connection.recv(65536):
            pass
        connection.close()


def stay():
    """Lives on, for longer than any grader waits."""
    time.sleep(300)


def become_a_stranger():
    """Leaves the process group, the session and the parent, as daemons do."""
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
