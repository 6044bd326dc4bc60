"""A node of lesson 7, written from the table of its chapter alone.

    node.py ID NAME [HOST:PORT]...    connects to these, listens, says the lines of standard input
                                      and shows what it hears; the end of the input is a farewell
"""

import queue
import socket
import struct
import sys
import threading

ID, NAME = int(sys.argv[1]), sys.argv[2].encode()
inbox = queue.Queue()
neighbours, seen = {}, set()


def send(connection, payload):
    connection.sendall(struct.pack('>I', len(payload)) + payload)


def read(connection):
    """Puts every frame of a connection into the inbox, and None at its end."""
    stream = connection.makefile('rb')
    while True:
        length = stream.read(4)
        payload = stream.read(struct.unpack('>I', length)[0]) if len(length) == 4 else b''
        inbox.put((connection, payload or None))
        if not payload:
            return


def open_connection(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # The greeting is the first frame: who hears nothing before it has gone out, answers nothing.
    send(connection, b'\x01PEER\x01' + struct.pack('>QH', ID, port) + NAME)
    threading.Thread(target=read, args=[connection], daemon=True).start()


def accept():
    while True:
        connection, _ = listener.accept()
        open_connection(connection)


def say_lines():
    for line in sys.stdin.buffer:
        inbox.put((None, line.rstrip(b'\n')))
    inbox.put((None, None))


def flood(payload, besides=None):
    for connection, (_, is_up) in list(neighbours.items()):
        if is_up and connection is not besides:
            send(connection, payload)


def close(connection):
    neighbours.pop(connection, None)
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def hear(connection, payload):
    kind = payload[0] if payload else None
    if kind == 1:
        their_id, _ = struct.unpack('>QH', payload[6:16])
        if ID < their_id and any(known == their_id for known, _ in neighbours.values()):
            send(connection, b'\x03\x01')
            return close(connection)
        neighbours[connection] = their_id, False
        if ID < their_id:
            send(connection, b'\x02')
    elif kind == 2:
        their_id, _ = neighbours[connection]
        if their_id < ID:
            send(connection, b'\x02')
        neighbours[connection] = their_id, True
        print('neighbour', flush=True)
    elif kind == 4:
        for place in range(1, len(payload), 26):
            their_id, address, at = struct.unpack('>Q16sH', payload[place:place + 26])
            print('told of', socket.inet_ntop(socket.AF_INET6, address), at, flush=True)
    elif kind == 5:
        origin, number, hops, length = struct.unpack('>QIBB', payload[1:15])
        if (origin, number) in seen or origin == ID:
            return
        seen.add((origin, number))
        name, words = payload[15:15 + length], payload[15 + length:]
        print(name.decode(), 'says:', words.decode(), flush=True)
        if hops > 0:
            flood(payload[:13] + bytes([hops - 1]) + payload[14:], besides=connection)
    elif kind in (None, 3, 6):
        if kind == 6:
            print('farewell', flush=True)
        close(connection)


listener = socket.create_server(('127.0.0.1', 0))
port = listener.getsockname()[1]
print('listening on 127.0.0.1:%d' % port, flush=True)
threading.Thread(target=accept, daemon=True).start()
for peer in sys.argv[3:]:
    host, at = peer.rsplit(':', 1)
    open_connection(socket.create_connection((host, int(at))))
threading.Thread(target=say_lines, daemon=True).start()
number = 0
while True:
    connection, payload = inbox.get(timeout=20)
    if connection:
        hear(connection, payload)
    elif payload is not None:
        number += 1
        flood(b'\x05' + struct.pack('>QIBB', ID, number, 16, len(NAME)) + NAME + payload)
    else:
        flood(b'\x06')
        break
# A close with something unread is a reset, which may overtake the farewell: the others close first.
closing = list(neighbours)
for connection in closing:
    close(connection)
while closing:
    connection, payload = inbox.get(timeout=20)
    if payload is None and connection in closing:
        closing.remove(connection)
