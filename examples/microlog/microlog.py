#!/usr/bin/env python3
"""Prints what comes at microlog, and publishes it to topic/microlog, which its page shows."""
import os
import signal
import sys
import time

try:
    from proton import Message
    from proton.handlers import MessagingHandler
    from proton.reactor import Container
except ImportError:
    # Debian's package is for Debian's Python; another may come first in PATH.
    system = "/usr/bin/python3"
    if os.path.exists(system) and os.path.realpath(system) != os.path.realpath(sys.executable):
        os.execv(system, [system, *sys.argv])
    sys.exit("microlog: needs Qpid Proton: apt install python3-qpid-proton, or pip install python-qpid-proton")


class Microlog(MessagingHandler):
    """A message is accepted when what was made of it is, so that none is lost in between."""

    def __init__(self, router):
        super().__init__(auto_accept=False, prefetch=10)
        self.router = router
        self.waiting = []  # came, and not published yet
        self.published = {}  # by the delivery of what was made of it

    def on_start(self, event):
        # The version, by which `dw route` and `dw rollout` know it among others.
        connection = event.container.connect(self.router, properties={"version": "1.0"})
        event.container.create_receiver(connection, "microlog")
        self.topic = event.container.create_sender(connection, "topic/microlog")
        print("microlog listens at //microlog: https://localhost:3423/microlog/", file=sys.stderr, flush=True)

    def on_message(self, event):
        body = event.message.body
        text = bytes(body).decode(errors="replace") if isinstance(body, (bytes, memoryview)) else body
        print(text, flush=True)
        self.waiting.append((event.delivery, Message(body=text, creation_time=time.time())))
        self.publish()

    def on_sendable(self, event):
        self.publish()

    def publish(self):
        while self.waiting and self.topic.credit:
            came, message = self.waiting.pop(0)
            self.published[self.topic.send(message)] = came

    def on_accepted(self, event):
        self.answer(event, MessagingHandler.accept)

    def on_rejected(self, event):
        self.answer(event, MessagingHandler.reject)

    def on_released(self, event):
        self.answer(event, MessagingHandler.release)

    def answer(self, event, outcome):
        came = self.published.pop(event.delivery, None)
        if came is not None:
            outcome(self, came)

    def on_disconnected(self, event):
        # What is not settled comes again.
        self.waiting.clear()
        self.published.clear()


signal.signal(signal.SIGINT, signal.SIG_DFL)
Container(Microlog(os.environ.get("DATAWIRE_ROUTER", "localhost:5672").removeprefix("//"))).run()
