/* Answers each request with its own bytes, inside libuv's loop, until it is interrupted: loop_libuv [ADDRESS] */
#include <dgram/dgram.h>
#include <signal.h>
#include <uv.h>

struct joined {
	struct dgram_loop *loop;
	uv_poll_t news;
	uv_timer_t due;
	uv_signal_t stop;
};

static void turn(struct joined *j);

static void on_news(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	turn(handle->data);
}

static void on_due(uv_timer_t *handle)
{
	turn(handle->data);
}

static void on_stop(uv_signal_t *handle, int number)
{
	(void)number;
	uv_stop(handle->loop);
}

/* Does what there is to do, then says again what to wait for: an error of the socket is news too, and has
 * stopped the watching. */
static void turn(struct joined *j)
{
	struct dgram_event event;
	uint64_t ns;

	while (dgram_loop_wait(j->loop, &event, 0) == 1)
		if (event.type == DGRAM_EVENT_REQUEST)
			dgram_endpoint_reply(dgram_loop_endpoint(j->loop), event.id, 0, event.data,
			                     event.len, dgram_clock());
	uv_poll_start(&j->news, UV_READABLE, on_news);
	ns = dgram_loop_timeout(j->loop);
	if (ns == DGRAM_NEVER)
		uv_timer_stop(&j->due);
	else
		uv_timer_start(&j->due, on_due, ns / DGRAM_MS + 1, 0);
}

int main(int argc, char **argv)
{
	struct dgram_addr here;
	struct dgram_socket socket;
	struct joined j;
	uv_loop_t *uv = uv_default_loop();

	if (dgram_addr_parse(&here, argc > 1 ? argv[1] : "127.0.0.1:24726") < 0 ||
	    dgram_socket_bind(&socket, &here, NULL) < 0 ||
	    !(j.loop = dgram_loop_new(&socket, NULL)))
		return 1;
	uv_poll_init(uv, &j.news, dgram_loop_fd(j.loop));
	uv_timer_init(uv, &j.due);
	uv_signal_init(uv, &j.stop);
	j.news.data = j.due.data = &j;
	uv_signal_start(&j.stop, on_stop, SIGTERM);
	turn(&j);
	uv_run(uv, UV_RUN_DEFAULT);

	dgram_loop_close(j.loop);
	dgram_loop_free(j.loop);
	dgram_socket_close(&socket);
	return 0;
}
