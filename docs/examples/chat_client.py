import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8089
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(("127.0.0.1", port))
while True:
    try:
        s.send(input().encode())
    except EOFError:
        break
    data = s.recv(1024)
    if not data:
        break
    print("对方：" + data.decode(), flush=True)
s.close()
