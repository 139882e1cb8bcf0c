/* bare.c - the two ends of the one-shot benchmark with nothing around the system calls.
 *
 *   bare ask PORT   socket, sendto, recvfrom, print, exit: the least that a question can cost
 *   bare echo       answers on a free port of loopback, which it prints, until its stdin ends
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sockaddr_in loopback(long port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int ask(long port)
{
	struct sockaddr_in to = loopback(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char buf[1500];
	ssize_t n;

	if (sendto(fd, "hi", 2, 0, (struct sockaddr *)&to, sizeof to) != 2)
		return 1;
	n = recvfrom(fd, buf, sizeof buf, 0, NULL, NULL);
	return n != 2 || write(STDOUT_FILENO, buf, 2) != 2;
}

static int echo(void)
{
	struct sockaddr_in at = loopback(0), from;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd wait[] = {{.fd = fd, .events = POLLIN},
				{.fd = STDIN_FILENO, .events = POLLIN}};

	if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
		return 1;
	getsockname(fd, (struct sockaddr *)&at, &(socklen_t){sizeof at});
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	while (poll(wait, 2, -1) > 0 && wait[1].revents == 0) {
		socklen_t len = sizeof from;
		char buf[1500];
		ssize_t n = recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);

		if (n >= 0)
			sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "ask") == 0)
		return ask(strtol(argv[2], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "echo") == 0)
		return echo();
	fputs("usage: bare ask PORT | bare echo\n", stderr);
	return 2;
}
