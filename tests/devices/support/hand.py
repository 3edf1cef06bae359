"""The laboratory's hand on a scripted device: one word to its control socket.

usage: hand.py SOCKET WORD     prints the answer, which comes when it is done; exit 1 where it is no "done" and no state

A campaign starts this some hundred times: it imports nothing but the socket.
"""
import socket
import sys


def main():
    path, word = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(90)
        connection.connect(path)
        connection.sendall(word.encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode().strip()
    print(answer)
    return 0 if answer == "done" or answer.startswith("{") else 1


if __name__ == "__main__":
    sys.exit(main())
