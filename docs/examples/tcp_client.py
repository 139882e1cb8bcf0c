import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8088
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(("127.0.0.1", port))
s.send("你好，服务器".encode())
print("服务器：" + s.recv(1024).decode())
s.close()
