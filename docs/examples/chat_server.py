import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8089
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", port))
server.listen(1)
print("等待连接……", flush=True)
peer, address = server.accept()
while True:
    data = peer.recv(1024)
    if not data:
        break
    print("对方：" + data.decode(), flush=True)
    try:
        peer.send(input().encode())
    except EOFError:
        break
peer.close()
server.close()
