/* message_marks.h - the rare situations of the message endpoint that a test of many seeds should have met. */
#ifndef SIM_MESSAGE_MARKS_H
#define SIM_MESSAGE_MARKS_H

/* clang-format off */
#define MARKS(ROW) \
	ROW(FIRST_TRY,     "a request took one datagram each way") \
	ROW(LATER_TRY,     "a request took more") \
	ROW(FAILED,        "a handler's failure came back") \
	ROW(BUSY,          "a handler was busy") \
	ROW(NO_SUCH_NAME,  "a handler knew no such name") \
	ROW(NOT_ALLOWED,   "a handler did not allow it") \
	ROW(EXPIRED,       "a request came after its deadline") \
	ROW(GONE,          "an answer was gone") \
	ROW(TOO_LONG,      "a message was too long for its receiver") \
	ROW(REPLY_LONG,    "a reply was too long for who asked") \
	ROW(NO_SESSION,    "no session came up") \
	ROW(UNHEARD,       "a closed port ended it") \
	ROW(UNREACHABLE,   "an unreachable host ended it") \
	ROW(CLOSED,        "the peer closed the session under it") \
	ROW(LOST,          "the session was lost under it") \
	ROW(HERE,          "the session was closed here under it") \
	ROW(DEADLINE_NOT,  "the deadline passed, certainly not run") \
	ROW(UNKNOWN_RAN,   "unknown, and it had run") \
	ROW(UNKNOWN_NOT,   "unknown, and it had not") \
	ROW(RAN_AFTER,     "unknown, and it ran afterwards") \
	ROW(CANCEL_UNSENT, "cancelled before it left") \
	ROW(CANCEL_PEER,   "cancelled at the peer, before it ran") \
	ROW(CANCEL_RAN,    "cancelled while it ran") \
	ROW(CANCEL_LATE,   "cancelled, and answered nevertheless") \
	ROW(RAN_TWICE,     "an idempotent request ran twice, and was answered") \
	ROW(STOPPED,       "a handler was stopped") \
	ROW(REPLY_STOPPED, "a reply after its STOP was not taken") \
	ROW(FULL,          "no room to submit") \
	ROW(REPLY_FULL,    "no room to reply") \
	ROW(REPLY_CHUNKS,  "a reply of many datagrams came whole") \
	ROW(SEND_CHUNKS,   "a message of many datagrams came whole") \
	ROW(ORDERED,       "an ordered message waited for another") \
	ROW(ECHO,          "an echo came back") \
	ROW(POST_LOST,     "a POST never came") \
	ROW(BOTH_BEGAN,    "both sides initiated") \
	ROW(EVICTED,       "an idle session made room") \
	ROW(IDLE_END,      "a session ended idle") \
	ROW(SHUT,          "everything was closed") \
	ROW(HALF_OPEN,     "half of the half-open places were taken") \
	ROW(COOKIE,        "COOKIE, and the INIT with it") \
	ROW(BUSY_TABLE,    "BUSY: a table full of work") \
	ROW(NOSESSION,     "NOSESSION") \
	ROW(PROBE,         "a session in doubt was probed") \
	ROW(NEED,          "NEED") \
	ROW(CREDIT,        "CREDIT") \
	ROW(GRANT,         "GRANT") \
	ROW(RESET,         "RESET") \
	ROW(PULL,          "PULL") \
	ROW(REDRAWN,       "a pulled reply was drawn again") \
	ROW(QUEUED,        "ACCEPTED: queued") \
	ROW(RUNNING,       "ACCEPTED: running") \
	ROW(PUSHED,        "a reply was pushed") \
	ROW(SETTLED,       "SETTLED") \
	ROW(SHRUNK,        "a path was too narrow for 1,200 bytes") \
	ROW(PROBED_SIZE,   "a path was searched for its size") \
	ROW(ROOM,          "a datagram found no room") \
	ROW(LATE_PACKET,   "a packet that counted as lost was not") \
	ROW(IDS_END,       "a session's message ids came to their end") \
	ROW(NUMBERS_END,   "a session's packet numbers came to their end") \
	ROW(MOVED,         "a NAT forgot a client") \
	ROW(REPLAYED,      "a replayed datagram changed nothing") \
	ROW(FORGED,        "forged INITs filled places") \
	ROW(CROWDED,       "a crowding client was told BUSY, or lost its sessions") \
	ROW(LAZY,          "a program was slow to take its events") \
	ROW(HEALED,        "asked and answered after the heal")
/* clang-format on */

enum mark {
#define MARK_ROW(name, text) MARK_##name,
	MARKS(MARK_ROW)
#undef MARK_ROW
	MARK_COUNT,
};

#endif
