/* passages.h - a file of --trace, read back: what passed and what was decided, in words. */
#ifndef COMMON_PASSAGES_H
#define COMMON_PASSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum passage_way {
	PASSAGE_OUT,  /* from here to the peer */
	PASSAGE_IN,   /* from the peer */
	PASSAGE_HERE, /* something was decided, or heard of the network */
};

#define PASSAGE_KEY  64
#define PASSAGE_PEER 80

struct passage {
	int64_t at; /* us since 1970, by the clock of the file */
	enum passage_way way;
	char peer[PASSAGE_PEER];
	size_t first;          /* index of the first passage with this peer */
	char key[PASSAGE_KEY]; /* the same for a datagram in the files of both ends; "": it cannot be known again */
	char *text;
	bool bad;              /* it says that something went wrong */
	bool is_same;          /* the file of the other end has it too */
	bool is_lost;          /* the file of the other end should have it, and has not */
	bool talks;            /* of a first one: the peer wrote the file of the other end */
};

struct passages {
	char about[128];       /* whose file it is: "request" */
	struct passage *all;   /* in the order of the file */
	size_t count, room;
};

/* Reads a whole file. 0, or an exit code after a sentence with its name and the number of the line. What a file of a
 * later version has more is passed over. All text in it is escaped: it may be a stranger's. */
int passages_read(struct passages *p, const char *file);
void passages_free(struct passages *p);

#endif
