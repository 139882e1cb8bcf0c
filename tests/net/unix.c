#define _GNU_SOURCE
#include "net.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A directory of the test's own, and a path in it. */
struct place {
	char directory[32], path[48];
	struct dgram_addr addr;
};

static int make_place(void **state)
{
	static struct place p;
	char uri[64];

	strcpy(p.directory, "/tmp/dgram-test-XXXXXX");
	if (mkdtemp(p.directory) == NULL)
		return -1;
	snprintf(p.path, sizeof p.path, "%s/socket", p.directory);
	snprintf(uri, sizeof uri, "unix://%s", p.path);
	*state = &p;
	return dgram_addr_parse(&p.addr, uri);
}

static int remove_place(void **state)
{
	const struct place *p = *state;

	unlink(p->path);
	return rmdir(p->directory);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int plain_socket(int type, const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	strcpy(name.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	return fd;
}

static void close_removes_the_path(void **state)
{
	const struct place *p = *state;
	struct dgram_socket s;

	assert_int_equal(dgram_socket_bind(&s, &p->addr, NULL), 0);
	assert_true(exists(p->path));
	dgram_socket_close(&s);
	assert_false(exists(p->path));
}

static void a_path_that_is_served_is_in_use_and_stays(void **state)
{
	const struct place *p = *state;
	struct dgram_socket first, second, client;

	assert_int_equal(dgram_socket_bind(&first, &p->addr, NULL), 0);
	dgram_socket_settimeout(&first, PATIENCE);
	assert_int_equal(dgram_socket_bind(&second, &p->addr, NULL), DGRAM_ERR_IN_USE);
	open_unbound(&client, DGRAM_UNIX);
	send_text(&client, "first", &p->addr);
	expect_text(&first, "first");
	dgram_socket_close(&client);
	dgram_socket_close(&first);
}

static void a_stale_path_is_replaced(void **state)
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct dgram_socket s;

		close(plain_socket(types[i], p->path));
		assert_true(exists(p->path));
		assert_int_equal(dgram_socket_bind(&s, &p->addr, NULL), 0);
		dgram_socket_close(&s);
		assert_false(exists(p->path));
	}
}

static void a_live_stream_socket_is_in_use(void **state)
{
	const struct place *p = *state;
	struct dgram_socket s;
	int fd = plain_socket(SOCK_STREAM, p->path);

	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(dgram_socket_bind(&s, &p->addr, NULL), DGRAM_ERR_IN_USE);
	assert_true(exists(p->path));
	close(fd);
}

static void a_file_that_is_no_socket_is_never_replaced(void **state)
{
	const struct place *p = *state;
	struct dgram_socket s;
	FILE *f = fopen(p->path, "w");

	assert_non_null(f);
	fclose(f);
	assert_int_equal(dgram_socket_bind(&s, &p->addr, NULL), DGRAM_ERR_IN_USE);
	assert_true(exists(p->path));
	unlink(p->path);
	assert_int_equal(symlink("/nowhere/at/all", p->path), 0);
	assert_int_equal(dgram_socket_bind(&s, &p->addr, NULL), DGRAM_ERR_IN_USE);
	assert_true(exists(p->path));
}

static void close_removes_only_what_it_made(void **state)
{
	const struct place *p = *state;
	struct dgram_socket first, second;

	assert_int_equal(dgram_socket_bind(&first, &p->addr, NULL), 0);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(dgram_socket_bind(&second, &p->addr, NULL), 0);
	dgram_socket_close(&first);
	assert_true(exists(p->path));
	dgram_socket_close(&second);
	assert_false(exists(p->path));
}

static void an_abstract_name_is_in_use_while_it_is_bound(void **state)
{
	struct dgram_socket first, second;
	struct dgram_addr addr, got;
	char uri[64];

	(void)state;
	snprintf(uri, sizeof uri, "unix://@dgram-test-%ld", (long)getpid());
	addr = address(uri);
	assert_int_equal(dgram_socket_bind(&first, &addr, NULL), 0);
	got = name_of(&first);
	assert_true(dgram_addr_equal(&got, &addr));
	assert_int_equal(dgram_socket_bind(&second, &addr, NULL), DGRAM_ERR_IN_USE);
	dgram_socket_close(&first);
	assert_int_equal(dgram_socket_bind(&second, &addr, NULL), 0);
	dgram_socket_close(&second);
}

static void split(char *directory, size_t size, const struct dgram_addr *addr)
{
	snprintf(directory, size, "%.*s", (int)addr->path_len, addr->u.path);
	*strrchr(directory, '/') = '\0';
}

static void a_client_s_path_can_be_answered_but_not_found(void **state)
{
	struct dgram_socket s, other;
	struct dgram_addr name, other_name;
	struct stat st;
	char directory[128], path[128];

	(void)state;
	open_unbound(&s, DGRAM_UNIX);
	open_unbound(&other, DGRAM_UNIX);
	name = name_of(&s);
	other_name = name_of(&other);
	assert_false(dgram_addr_equal(&name, &other_name));
	snprintf(path, sizeof path, "%.*s", (int)name.path_len, name.u.path);
	split(directory, sizeof directory, &name);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0666, 0666);
	dgram_socket_close(&s);
	dgram_socket_close(&other);
	assert_false(exists(path));
	assert_false(exists(directory));
}

static void a_client_that_cannot_connect_leaves_nothing(void **state)
{
	const struct place *p = *state;
	struct dgram_socket s;

	setenv("TMPDIR", p->directory, 1);
	assert_int_equal(dgram_socket_connect(&s, &p->addr, NULL), DGRAM_ERR_REFUSED);
	unsetenv("TMPDIR");
	assert_int_equal(rmdir(p->directory), 0); /* it is empty */
	assert_int_equal(mkdir(p->directory, 0700), 0);
}

static void a_client_s_directory_is_made_where_tmpdir_says_if_it_fits(void **state)
{
	const struct place *p = *state;
	char longer[256], directory[128];
	struct dgram_socket s;
	struct dgram_addr name;

	setenv("TMPDIR", p->directory, 1);
	open_unbound(&s, DGRAM_UNIX);
	name = name_of(&s);
	split(directory, sizeof directory, &name);
	assert_memory_equal(directory, p->directory, strlen(p->directory));
	dgram_socket_close(&s);

	memset(longer, 'x', sizeof longer);
	longer[0] = '/';
	longer[sizeof longer - 1] = '\0';
	setenv("TMPDIR", longer, 1);
	open_unbound(&s, DGRAM_UNIX);
	name = name_of(&s);
	assert_memory_equal(name.u.path, "/tmp/dgram-", 11);
	dgram_socket_close(&s);
	unsetenv("TMPDIR");
}

static void a_sender_without_a_name_is_told_apart(void **state)
{
	const struct place *p = *state;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct dgram_socket s;
	struct dgram_addr from;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_int_equal(dgram_socket_bind(&s, &p->addr, NULL), 0);
	dgram_socket_settimeout(&s, PATIENCE);
	strcpy(to.sun_path, p->path);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
	from = expect_text(&s, "x");
	assert_int_equal(from.family, DGRAM_UNIX);
	assert_int_equal(from.path_len, 0);
	close(fd);
	dgram_socket_close(&s);
}

static unsigned count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned count = 0;

	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		count++;
	closedir(d);
	return count;
}

/* A stranger's descriptors would fill our table. */
static void descriptors_sent_along_never_enter_the_process(void **state)
{
	const struct place *p = *state;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	char data[] = "x", buf[4];
	struct iovec iov = {.iov_base = data, .iov_len = 1};
	struct msghdr h = {.msg_name = &to,
	                   .msg_namelen = sizeof to,
	                   .msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	struct dgram_socket s;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	unsigned before;

	strcpy(to.sun_path, p->path);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	assert_int_equal(dgram_socket_bind(&s, &p->addr, NULL), 0);
	dgram_socket_settimeout(&s, PATIENCE);
	before = count_descriptors();
	assert_int_equal(sendmsg(fd, &h, 0), 1);
	assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), DGRAM_ERR_TRUNCATED);
	assert_int_equal(count_descriptors(), before);
	close(fd);
	dgram_socket_close(&s);
}

#define AT_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        AT_PLACE(close_removes_the_path),
	        AT_PLACE(a_path_that_is_served_is_in_use_and_stays),
	        AT_PLACE(a_stale_path_is_replaced),
	        AT_PLACE(a_live_stream_socket_is_in_use),
	        AT_PLACE(a_file_that_is_no_socket_is_never_replaced),
	        AT_PLACE(close_removes_only_what_it_made),
	        cmocka_unit_test(an_abstract_name_is_in_use_while_it_is_bound),
	        cmocka_unit_test(a_client_s_path_can_be_answered_but_not_found),
	        AT_PLACE(a_client_that_cannot_connect_leaves_nothing),
	        AT_PLACE(a_client_s_directory_is_made_where_tmpdir_says_if_it_fits),
	        AT_PLACE(a_sender_without_a_name_is_told_apart),
	        AT_PLACE(descriptors_sent_along_never_enter_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
