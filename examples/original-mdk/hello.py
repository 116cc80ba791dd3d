"""A Flask service with Datawire's original MDK, unchanged: it registers, logs into the session of each request, and calls
another service in it.

    pip install -r requirements.txt          # Python 3.4 to 3.6
    MDK_SERVER_URL=ws://localhost:5430/rtp DATAWIRE_TOKEN=none python hello.py 8080

The token must not be empty, or the client does not connect; a directory that asks for none takes any.
"""
import logging
import sys
from urllib.request import Request, urlopen

from flask import Flask, g
from mdk.flask import MDKLoggingHandler, mdk_setup

PORT = int(sys.argv[1])

app = Flask("hello")
mdk = mdk_setup(app, timeout=10.0)
app.logger.addHandler(MDKLoggingHandler(mdk))
app.logger.setLevel(logging.INFO)


@app.route("/")
def hello():
    app.logger.info("asked for a greeting")
    return "hello\n"


@app.route("/via/<service>")
def via(service):
    """Calls another service of the directory, as version 1.0 or a later one of it."""
    node = g.mdk_session.resolve(service, "1.0")
    request = Request(node.address, headers={mdk.CONTEXT_HEADER: g.mdk_session.inject()})
    return "%s says: %s" % (service, urlopen(request).read().decode())


mdk.register("hello", "1.0", "http://127.0.0.1:%d" % PORT)
app.run(port=PORT)
