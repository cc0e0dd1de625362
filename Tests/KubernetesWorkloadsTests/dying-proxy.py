"""An HTTP proxy before an API server that dies in the middle:

    dying-proxy.py KUBECTL KUBECONFIG COUNT PORT-FILE DIED-FILE AWAY

Hands on COUNT requests and answers all but the last of them; then it writes DIED-FILE and hands on nothing, for AWAY
seconds or, when that is 0, for good. kubectl proxy does the logging in. Ends with SIGTERM, and kubectl with it.
"""

import http.client
import http.server
import os
import signal
import subprocess
import sys
import threading
import time

kubectl, kubeconfig, count, port_file, died_file, away = sys.argv[1:]
lock = threading.Lock()
left = int(count)
back_at = float("inf")
environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
upstream = subprocess.Popen(
    [kubectl, "--kubeconfig", kubeconfig, "proxy", "--port=0"], stdout=subprocess.PIPE, env=environment
)
upstream_port = int(upstream.stdout.readline().rsplit(b":", 1)[1])


def publish(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        global left, back_at
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with lock:
            left -= 1
            mine = left
        if mine < 0 and time.monotonic() < back_at:
            self.close_connection = True
            return
        connection = http.client.HTTPConnection("127.0.0.1", upstream_port)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "accept-encoding")}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if mine == 0:
            if float(away) > 0:
                back_at = time.monotonic() + float(away)
            publish(died_file, "died")
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_request

    def log_message(self, *arguments):
        pass


def end(*_):
    upstream.terminate()
    upstream.wait()
    os._exit(0)


signal.signal(signal.SIGTERM, end)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
publish(port_file, str(server.server_address[1]))
server.serve_forever()
