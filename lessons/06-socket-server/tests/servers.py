"""The four basic servers of Python's socketserver with one handler; argument: KIND [PATH]."""

import socketserver
import sys


class Stream(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        message, socket = self.request
        socket.sendto(message.upper(), self.client_address)


class Threaded(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True


kind, place = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else ("127.0.0.1", 0))
make, handler = {
    "tcp": (socketserver.TCPServer, Stream),
    "threads": (Threaded, Stream),
    "udp": (socketserver.UDPServer, Datagram),
    "unix": (getattr(socketserver, "UnixStreamServer", None), Stream),
    "unix-datagram": (getattr(socketserver, "UnixDatagramServer", None), Datagram),
}[kind]
with make(place, handler) as server:
    where = server.server_address
    where = "unix:" + where if isinstance(where, str) else "%s:%d" % where
    print("listening on", where, flush=True)
    server.serve_forever()
