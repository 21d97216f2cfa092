"""How much load the load process can make: it is put against a server that does nothing but answer.

    python -m tests.bench.ceiling PORT        # that server
"""

import selectors
import socket
import subprocess
import sys

from tests.serving import free_port, until

from .load import Job, Measured, measure

_BODY = b'{"head":{"vars":["o"]},"results":{"bindings":[{"o":{"type":"literal","value":"%s"}}]}}' % (b"x" * 400)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/sparql-results+json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


def ceiling(connections: int = 32, seconds: float = 1.0) -> Measured:
    """What is measured of a server that costs next to nothing: no engine can be seen to do better."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.ceiling", str(port)])
    try:
        until(lambda: _open(port))
        return measure(Job(port, connections, [("/?query=" + "x" * 300, "*/*")], seconds, 1_000_000))
    finally:
        process.kill()
        process.wait(10)


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def serve(port: int) -> None:
    """Answers the same to every request. A request of the load process arrives in one piece."""
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    with selectors.EpollSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                elif key.fileobj.recv(65536):
                    key.fileobj.sendall(_ANSWER)
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
