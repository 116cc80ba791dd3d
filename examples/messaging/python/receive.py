#!/usr/bin/python3
"""Prints so many messages of an address: receive.py HOST:PORT ADDRESS COUNT"""
import sys

from proton.utils import BlockingConnection

host, address, count = sys.argv[1:]
connection = BlockingConnection(host, timeout=30)
receiver = connection.create_receiver(address, credit=10)
for _ in range(int(count)):
    print(receiver.receive().body, flush=True)
    receiver.accept()
connection.close()
