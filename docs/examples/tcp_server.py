import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8088
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", port))
server.listen(1)
print("等待连接……", flush=True)
client, address = server.accept()
print("客户端：" + client.recv(1024).decode())
client.send("你好，客户端".encode())
client.close()
server.close()
