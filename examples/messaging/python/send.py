#!/usr/bin/python3
"""Sends each text to an address: send.py HOST:PORT ADDRESS TEXT…"""
import sys

from proton import Message
from proton.utils import BlockingConnection

host, address, *texts = sys.argv[1:]
connection = BlockingConnection(host, timeout=30)
sender = connection.create_sender(address)
for text in texts:
    sender.send(Message(body=text))  # raises unless it is accepted, which means on disk
print(f"accepted {len(texts)}")
connection.close()
