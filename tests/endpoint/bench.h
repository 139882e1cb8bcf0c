/* bench.h - one endpoint on a bench, in virtual time, and hand-made peers for it.
 *
 * The bench gives datagrams to a real endpoint, keeps those that it sends until a test takes them,
 * and goes from deadline to deadline. A hand is a peer without a mind: it encodes and decodes with
 * lib/wire what the test says and nothing else, so that a test can play either side of a session
 * datagram by datagram, right or wrong. pair.h has two real endpoints instead.
 *
 * What must hold whatever happens is checked on the way: after transmit has said 0 nothing is due,
 * an endpoint that is called early does nothing, and each datagram has one fate.
 */
#ifndef DGRAM_TEST_BENCH_H
#define DGRAM_TEST_BENCH_H

#include <dgram/endpoint.h>

#include "wire/wire.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define MS           DGRAM_MS
#define S            DGRAM_S

#define BENCH_START    (1000 * S) /* when every test begins */
#define BENCH_SENT     2048       /* datagrams that wait to be taken */
#define BENCH_DATAGRAM 2048       /* bytes of the largest */
#define BENCH_BYTES    (5 << 20)  /* of the pattern */
#define HAND_NUMBERS   8192       /* packets of a session that a hand can remember */
#define HAND_FRAMES    128        /* of one datagram */

struct packet {
	uint64_t at; /* ns: when it left */
	struct dgram_addr to;
	size_t len;
	uint8_t data[BENCH_DATAGRAM];
};

struct bench {
	struct dgram_endpoint *ep;
	uint64_t now;
	struct packet *sent; /* a ring */
	size_t first, count;
	uint64_t given;     /* datagrams to the endpoint */
	uint64_t taken_all; /* datagrams from it */
	size_t mtu;         /* bytes: transmit of more is told as DGRAM_ERR_SIZE; 0: no limit */
	bool mtu_is_dark;   /* they vanish instead */
};

/* The defaults and a seed. */
struct dgram_endpoint_config bench_config(void);

/* config NULL: the defaults. */
void bench_open(struct bench *b, const struct dgram_endpoint_config *config);
void bench_close(struct bench *b);

/* Everything that the endpoint has to send now is put into the queue. */
void bench_turn(struct bench *b);

/* Goes on for so long, turning at every deadline. */
void bench_wait(struct bench *b, uint64_t ns);

/* Goes on until something to this address waits to be taken; false: nothing did for so long. */
bool bench_wait_sent(struct bench *b, const struct dgram_addr *to, uint64_t ns);

/* Gives a datagram, and does not turn. */
enum dgram_fate bench_give(struct bench *b, const struct dgram_addr *from, const void *data,
                           size_t len);

/* The oldest one in the queue to this address, NULL: to any; false: there is none. */
bool bench_take(struct bench *b, const struct dgram_addr *to, struct packet *out);

/* Nothing waits to be taken, and nothing is sent for so long. */
void bench_expect_silence(struct bench *b, uint64_t ns);

/* Throws away what waits. */
void bench_drop(struct bench *b);

/* The next event has this type; for bench_no_event there is none. */
struct dgram_event bench_event(struct bench *b, enum dgram_event_type type);
void bench_no_event(struct bench *b);

/* Waits for the DONE event, for so long at most. */
struct dgram_event bench_done(struct bench *b, uint64_t ns);

struct dgram_endpoint_stats bench_stats(const struct bench *b);
uint64_t bench_fate_count(const struct bench *b, enum dgram_fate fate);

struct dgram_addr bench_addr(const char *text);

/* A message for the endpoint to send. */
struct dgram_message bench_message(enum dgram_kind kind, const struct dgram_addr *to,
                                   const char *text);

/* Submits it, which must be possible. */
uint64_t bench_submit(struct bench *b, const struct dgram_message *message);

/* ---- a hand ------------------------------------------------------------------------------------ */

/* A DATA datagram of the endpoint, taken apart. */
struct got {
	struct packet packet;
	struct dg_parts parts;
	uint64_t number;
	bool asking; /* for an ACK */
	size_t count;
	struct dg_frame frames[HAND_FRAMES];
};

struct hand {
	struct bench *bench;
	struct dgram_addr addr;
	struct dg_hello hello;      /* what it says in INIT and ACCEPT */
	struct dg_hello theirs;     /* what the endpoint said */
	uint64_t next;              /* its next packet number */
	uint64_t init_at;           /* ns: when the session time began */
	struct got got;             /* the last datagram that it took */
	uint64_t base;              /* the first packet number that it saw */
	bool numbers[HAND_NUMBERS]; /* of the endpoint's packets that came */
	uint64_t highest;           /* of these */
	bool heard;
	bool owes;                    /* an asking packet came that no ACK named */
	uint8_t ranges[1024];         /* of the ACK that is being made */
	uint8_t last[BENCH_DATAGRAM]; /* the last datagram that it gave */
	size_t last_len;
};

/* address: as text. Every hand has ids of its own, made from its address. */
void hand_init(struct hand *h, struct bench *b, const char *address);

/* Opens the bench with this hand on it, at 10.0.0.1:1000. */
void hand_open(struct hand *h, struct bench *b, const struct dgram_endpoint_config *config);

/* Puts a datagram into h->last: INIT or ACCEPT with what h->hello says. */
void hand_write_hello(struct hand *h, enum dg_type type, size_t size);

/* Gives h->last, from the hand's address. */
enum dgram_fate hand_give(struct hand *h);
enum dgram_fate hand_give_from(struct hand *h, const char *address);

/* INIT with the session time of now. */
enum dgram_fate hand_say_init(struct hand *h);

/* Says INIT, whatever becomes of it, and turns. */
void hand_knock(struct hand *h);

/* An ACCEPT that echoes time. */
enum dgram_fate hand_say_accept(struct hand *h, uint64_t time);

/* COOKIE, BUSY (retry: ms), NOSESSION. */
enum dgram_fate hand_say_cookie(struct hand *h, uint8_t fill);
enum dgram_fate hand_say_busy(struct hand *h, uint32_t retry);
enum dgram_fate hand_say_nosession(struct hand *h, uint64_t number);

/* A DATA datagram with these frames, into h->last. */
void hand_write(struct hand *h, const struct dg_frame *frames, size_t count);

/* Gives it. */
enum dgram_fate hand_frames(struct hand *h, const struct dg_frame *frames, size_t count);

#define hand_say(h, ...)                                                                           \
	hand_frames(h, (struct dg_frame[]){__VA_ARGS__},                                           \
	            sizeof((struct dg_frame[]){__VA_ARGS__}) / sizeof(struct dg_frame))

/* The next datagram to this hand that is not DATA: it must be the next one that waits. */
void hand_take_hello(struct hand *h, enum dg_type type, struct dg_hello *out);
void hand_take_raw(struct hand *h, enum dg_type type, size_t len);

/* Takes the next DATA datagram of the endpoint into h->got; false: none waits. */
bool hand_take(struct hand *h);

/* Takes the next one, which there must be. */
void hand_next(struct hand *h);

/* Takes until one has such a frame, waiting so long at most; NULL: none had. The frame is good
 * until the next take. */
const struct dg_frame *hand_find(struct hand *h, enum dg_frame_type type, uint64_t ns);

/* The frame of this type in the last datagram taken; NULL: none. */
const struct dg_frame *hand_got(const struct hand *h, enum dg_frame_type type);

/* Waits and takes all; fails where one has such a frame. */
void hand_expect_no(struct hand *h, enum dg_frame_type type, uint64_t ns);

/* An ACK of everything that came, and of some numbers. */
struct dg_frame hand_ack(struct hand *h);
struct dg_frame hand_ack_of(uint64_t low, uint64_t high);

/* Whether an ACK frame names this number. */
bool hand_acks(const struct dg_frame *ack, uint64_t number);

/* Takes everything for so long; whether an ACK named this number. */
bool hand_is_acked(struct hand *h, uint64_t number, uint64_t ns);

/* Takes and acknowledges whatever comes until nothing did for 50 ms. */
void hand_settle(struct hand *h);

/* A confirmed session that the hand began, and one that the endpoint begins because a message to
 * h->addr was submitted. Both settle, so what the endpoint sends in the second one is taken: see
 * hand_accept for the moment before. */
void hand_call(struct hand *h);

/* Takes the INIT and gives ACCEPT. */
void hand_accept(struct hand *h);

/* ns of the bench as us of session time. */
uint64_t hand_time(const struct hand *h, uint64_t at);

/* The frames that tests say most. */
struct dg_frame hand_send(uint64_t id, const char *text);
struct dg_frame hand_request(uint64_t id, const char *text);
struct dg_frame hand_reply(uint64_t id, const char *text);
struct dg_frame hand_part(enum dg_frame_type type, uint64_t id, uint64_t total, uint64_t offset,
                          size_t len);

/* The bytes of every message that is made of parts; BENCH_BYTES of them. */
const uint8_t *bench_bytes(void);

#endif
