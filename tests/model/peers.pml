/* peers.pml - two endpoints that may both open sessions, ask each other, forget, restart and doubt.
 *
 * The network is a set that only grows, as in session.pml: what was sent arrives at any later time, any number of
 * times, or never. Here it needs no variables. What a session's two ends did is kept after they are over, and that
 * tells what was sent: INIT is out since it was made, ACCEPT since the responder's id was, a reply since its mark was
 * set, CLOSE since an end was `closed`, NOSESSION once an end is over and the other still sends.
 *
 * INITs, responder ids and requests are numbered in the order in which they are made, so that "before" is "smaller".
 * Time is a choice. Every branch of the one loop is one action of one side, taken whole.
 *
 * -DMUTANT_<name> breaks one rule; -DREACH=n asks whether situation n occurs. ORDERED: requests 0 and 1 are to start in
 * this order. FORGED: NOSESSION comes for no reason too.
 */

#ifndef INITS
#define INITS 2 /* over all lives of both sides */
#endif
#ifndef SESSIONS
#define SESSIONS 2 /* responder's ids, over all lives of both sides */
#endif
#ifndef REQUESTS
#define REQUESTS 2 /* 0 and 1 are side 0's, 2 is side 1's */
#endif
#ifndef ASKER
#define ASKER 0 /* 1: 0 and 1 are side 1's */
#endif
#ifndef LIVES
#define LIVES 1 /* of each side */
#endif
#ifndef RESTARTERS
#define RESTARTERS 2 /* 1: only side 0 is restarted */
#endif
#ifndef TABLE
#define TABLE 1 /* sessions that a side will answer at once */
#endif
#ifndef OPENERS
#define OPENERS 2 /* 1: only side 0 sends INIT */
#endif
#define NONE 15

#define FROM(r) ((r) / 2 + ASKER)
byte lives[2];

/* The initiator's end of a session, and the responder's. before_*: how many INITs and responder's ids there were when
 * the INIT first left, and when the peer's boot id became known. */
#define WAITING 0 /* for ACCEPT, or for the first DATA (half-open) */
#define UP 1
#define CLOSED 2 /* over, and CLOSE is out */
#define GONE 3   /* over without a word */
byte inits, sessions;
bit owner[INITS], boot[INITS], doubt[INITS], told[INITS];
byte state[INITS], adopted[INITS] = NONE;
#if LIVES > 1
byte before_init[INITS], before_accept[INITS], inits_before_accept[INITS];
#endif
byte of_init[SESSIONS], r_state[SESSIONS];
bit r_boot[SESSIONS], r_doubt[SESSIONS], r_told[SESSIONS];

/* The receiver's mark of a request in a session. *_kept: its answer can still be had. */
#define UNSEEN 0
#define RUNNING 1
#define OK_KEPT 2
#define OK_GONE 3
#define NO_KEPT 4
#define NO_GONE 5
#define KILLED 6
byte mark[SESSIONS * REQUESTS];
#define MARK(s, r) mark[(s) * REQUESTS + (r)]

/* The requester. BEGUN: some of it was sent, not the last byte. */
mtype = { unborn, waiting, begun, exposed, cancelling, ok, refused, unknown };
mtype outcome[REQUESTS] = unborn;
byte at[REQUESTS] = NONE;        /* session, by the responder's id */
bit out[SESSIONS * REQUESTS];    /* all of it is in the network */
bit cancel_sent[REQUESTS];       /* in the session that it was in */
byte cancel_at[REQUESTS] = NONE;
#define OUT(s, r) out[(s) * REQUESTS + (r)]
#ifdef MUTANT_moved_in_doubt
byte left_in[REQUESTS] = NONE;
#endif

/* What an outside observer knows. */
byte runs[REQUESTS];

#define RESPONDER(s) (1 - owner[of_init[s]])
#define ALIVE(s, x) ((x) == RESPONDER(s) -> r_state[s] <= UP : state[of_init[s]] == UP && adopted[of_init[s]] == (s))
#define IS_UP(s, x) ((x) == RESPONDER(s) -> r_state[s] == UP : state[of_init[s]] == UP && adopted[of_init[s]] == (s))
#define DOUBT(s, x) ((x) == RESPONDER(s) -> r_doubt[s] : doubt[of_init[s]])
#define TOLD(s, x) ((x) == RESPONDER(s) -> r_told[s] : told[of_init[s]])
#define USABLE(s, x) (IS_UP(s, x) && !DOUBT(s, x))
#define CLOSE_OUT(s, x) ((x) == RESPONDER(s) -> r_state[s] == CLOSED : state[of_init[s]] == CLOSED && adopted[of_init[s]] == (s))
#define PEER_BOOT(s, x) ((x) == RESPONDER(s) -> boot[of_init[s]] : r_boot[s])

byte i, s, r, x, k, n; /* of the action under way; 0 between actions */
bit yes;
inline forget() { i = 0; s = 0; r = 0; x = 0; k = 0; n = 0; yes = 0 }

inline any(variable, below) /* below > 0 */
{
	variable = 0;
	do
	:: variable < (below) - 1 -> variable++
	:: break
	od
}

/* ---- how requests and sessions end -------------------------------------------------------------- */

inline end_request(q, how)
{
	assert(outcome[q] != ok && outcome[q] != refused && outcome[q] != unknown && outcome[q] != unborn);
	assert(how != ok || runs[q] >= 1);
	assert(how != refused || runs[q] == 0);
	outcome[q] = how;
	at[q] = NONE
}

inline set_end(t, side, how)
{
	if
	:: side == RESPONDER(t) -> r_state[t] = how; r_doubt[t] = 0
	:: else -> state[of_init[t]] = how; doubt[of_init[t]] = 0
	fi
}

/* Side's end of session t is over. What was begun and never exposed waits for the next session: the peer can never have
 * the whole of it. What was exposed may have run. */
inline end_session(t, side, how)
{
	set_end(t, side, how);
	k = 0;
	do
	:: k < REQUESTS ->
		if
		:: FROM(k) == side && at[k] == t && outcome[k] == begun -> outcome[k] = waiting; at[k] = NONE
#ifdef MUTANT_exposed_moved
		:: FROM(k) == side && at[k] == t && outcome[k] == exposed -> outcome[k] = waiting; at[k] = NONE
#endif
		:: FROM(k) == side && at[k] == t && outcome[k] != begun -> end_request(k, unknown)
		:: else
		fi;
		k++
	:: else -> break
	od;
	k = 0
}

/* CLOSE came. If the peer saw nothing of ours (first is 0) it never runs: it may be sent again elsewhere. */
inline take_close(t, side)
{
	yes = 1; k = 0;
	do
	:: k < REQUESTS -> yes = yes && (FROM(k) != side || MARK(t, k) == UNSEEN); k++
	:: else -> break
	od;
#ifdef MUTANT_resent_below_first
	yes = 1;
#endif
	k = 0;
	do
	:: k < REQUESTS ->
		if
		:: yes && FROM(k) == side && at[k] == t && outcome[k] == exposed ->
			outcome[k] = waiting; at[k] = NONE
		:: yes && FROM(k) == side && at[k] == t && (outcome[k] == exposed || outcome[k] == cancelling) ->
			end_request(k, refused)
#ifdef MUTANT_resent_after_cancel
		:: yes && FROM(k) == side && at[k] == t && outcome[k] == cancelling ->
			outcome[k] = waiting; at[k] = NONE
#endif
		:: else
		fi;
		k++
	:: else -> break
	od;
	yes = 0;
	end_session(t, side, GONE)
}

#if LIVES > 1
/* Two ends at side x: u's peer process was known before t began, that is before its INIT left or came. Then t's process
 * is the later one, for at each address there is one at a time. */
#define KNOWN_BEFORE(u, t, x) \
	((x) == RESPONDER(u) -> \
		((x) == RESPONDER(t) -> (u) < (t) : (u) < before_init[of_init[t]]) : \
		((x) == RESPONDER(t) -> before_accept[of_init[u]] <= (t) : inits_before_accept[of_init[u]] <= of_init[t]))
/* u began before t: all that a side remembers */
#define BEGAN_BEFORE(u, t, x) \
	((x) == RESPONDER(u) -> \
		((x) == RESPONDER(t) -> (u) < (t) : (u) < before_init[of_init[t]]) : \
		((x) == RESPONDER(t) -> before_init[of_init[u]] <= (t) : of_init[u] < of_init[t]))

/* Session t of this side came up. ACCEPT of a probe ends what was in doubt if that was with another process; where DATA
 * confirms a session, or ACCEPT answers another INIT, that ends no other: it may be late. */
#if defined(MUTANT_late_data_ends_newer)
#define ENDS(u, t, x) ((x) == RESPONDER(t) || DOUBT(u, x) && BEGAN_BEFORE(u, t, x))
#elif defined(MUTANT_late_accept_ends_newer)
#define ENDS(u, t, x) ((x) != RESPONDER(t))
#else
#define ENDS(u, t, x) ((x) != RESPONDER(t) && DOUBT(u, x) && BEGAN_BEFORE(u, t, x))
#endif

inline end_doubted(t, side)
{
	n = 0;
	do
	:: n < sessions ->
		if
		:: n != t && IS_UP(n, side) && PEER_BOOT(n, side) != PEER_BOOT(t, side) && ENDS(n, t, side) ->
			/* nobody's living session is ended because of a boot id */
			assert(PEER_BOOT(n, side) != lives[1 - side]);
			end_session(n, side, CLOSED)
		:: else
		fi;
		n++
	:: else -> break
	od;
	n = 0
}

/* Of sessions with different processes the one that began last is used. -> yes */
inline is_newest(t, side)
{
	yes = 1; n = 0;
	do
#ifdef MUTANT_older_process_used
	:: false
#else
	:: n < sessions ->
		yes = yes && !(n != t && IS_UP(n, side) && PEER_BOOT(n, side) != PEER_BOOT(t, side) && BEGAN_BEFORE(t, n, side));
		n++
#endif
	:: else -> break
	od;
	n = 0
}

/* What is exposed in session t is not thrown away: no later process is known. */
inline check_newest(t, side)
{
	n = 0;
	do
	:: n < sessions ->
		assert(!(n != t && IS_UP(n, side) && PEER_BOOT(n, side) != PEER_BOOT(t, side) && KNOWN_BEFORE(t, n, side)));
		n++
	:: else -> break
	od;
	n = 0
}
#else
#define end_doubted(t, side) skip
#define is_newest(t, side) yes = 1
#define check_newest(t, side) skip
#endif

/* ---- one side as a responder -------------------------------------------------------------------- */

/* Nothing runs, no answer is kept, nothing of ours is unanswered: only such an end may be evicted. -> yes */
inline is_idle(t, side)
{
	yes = 1; k = 0;
	do
	:: k < REQUESTS ->
#ifndef MUTANT_running_evicted
		yes = yes && !(FROM(k) != side && (MARK(t, k) == RUNNING || MARK(t, k) == OK_KEPT || MARK(t, k) == NO_KEPT));
#endif
#ifndef MUTANT_unanswered_evicted
		yes = yes && !(FROM(k) == side && at[k] == t);
#endif
		k++
	:: else -> break
	od;
	k = 0
}

inline check_evicted(t, side)
{
	k = 0;
	do
	:: k < REQUESTS ->
		assert(!(FROM(k) != side && MARK(t, k) == RUNNING));
		assert(!(FROM(k) == side && at[k] == t));
		k++
	:: else -> break
	od;
	k = 0
}

inline count_alive(side) /* -> n, as a responder */
{
	n = 0; k = 0;
	do
	:: k < sessions -> n = n + (RESPONDER(k) == side && r_state[k] <= UP); k++
	:: else -> break
	od;
	k = 0
}

inline confirm(t, side) /* valid DATA from its initiator */
{
	if
	:: side == RESPONDER(t) && r_state[t] == WAITING -> r_state[t] = UP; end_doubted(t, side)
	:: else
	fi
}

inline start(t, q)
{
	assert(runs[q] == 0);              /* at most once, over all sessions and lives */
	assert(outcome[q] != refused);     /* REFUSED was the truth */
#ifdef ORDERED
	/* in order, but for what its sender gave up: nobody knows when that comes */
	assert(q != 0 || runs[1] == 0 || outcome[0] == unknown);
#endif
	runs[q]++;
	MARK(t, q) = RUNNING
}

/* May request q be begun in session t? One that is in order waits for those before it, unless they are in the same
 * session, where it names them. */
#if defined(ORDERED) && !defined(MUTANT_order_across_sessions)
#define IN_TURN(t, q) ((q) != 1 || at[0] == (t) || outcome[0] == ok || outcome[0] == refused || outcome[0] == unknown)
#else
#define IN_TURN(t, q) true
#endif
#ifdef ORDERED
bit named; /* request 1 names request 0 */
#define MAY_START(t, q) ((q) != 1 || !named || MARK(t, 0) != UNSEEN)
#else
#define MAY_START(t, q) true
#endif

/* ---- situations that must occur, else the model proves nothing ---------------------------------- */
inline marks()
{
#ifdef REACH
	/* both opened at once, both sessions used */
	assert(!(REACH == 1 && inits == 2 && owner[0] != owner[1] && state[0] == UP && state[1] == UP
		&& r_state[0] == UP && r_state[1] == UP && outcome[0] == ok && outcome[1] == ok && OUT(0, 0) != OUT(0, 1)));
	/* evicted, CLOSE lost, doubt, a probe's session, and the second request answered there */
	assert(!(REACH == 2 && outcome[0] == unknown && outcome[1] == ok && OUT(0, 0) && OUT(1, 1) && told[0]));
	/* evicted, CLOSE came: sent again, answered */
	assert(!(REACH == 3 && outcome[0] == ok && OUT(0, 0) && OUT(1, 0)));
	/* a begun one moved */
	assert(!(REACH == 4 && sessions == 2 && outcome[0] == ok && !OUT(0, 0) && r_state[0] == CLOSED));
	/* doubt for no reason: the session answered, and goes on */
	assert(!(REACH == 5 && outcome[0] == ok && doubt[0] && r_state[0] == UP));
	/* both sides restarted, and a request was answered since */
	assert(!(REACH == 6 && lives[0] == 1 && lives[1] == 1 && outcome[0] == ok && r_boot[sessions - 1] == 1));
	/* in order over two sessions */
	assert(!(REACH == 7 && outcome[0] == ok && outcome[1] == ok && OUT(0, 0) && OUT(1, 1)));
	/* an answer each way in one session */
	assert(!(REACH == 8 && outcome[0] == ok && outcome[REQUESTS - 1] == ok && REQUESTS == 3 && sessions == 1));
#endif
	skip
}

active proctype world()
{
	do
	/* a side without a usable session opens one; in doubt that is the probe */
	:: atomic { inits < INITS ->
		any(x, OPENERS);
		yes = 1; n = 0;
		do
		:: n < inits -> yes = yes && !(owner[n] == x && state[n] == WAITING); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < sessions -> yes = yes && !USABLE(n, x); n++
		:: else -> break
		od;
		if
		:: yes ->
			owner[inits] = x; boot[inits] = lives[x];
#if LIVES > 1
			before_init[inits] = sessions;
#endif
			inits++
		:: else
		fi; forget(); marks() }
	/* INIT arrives, as late as it likes; a copy draws the same ids, which changes nothing */
	:: atomic { inits > 0 && sessions < SESSIONS ->
		any(i, inits);
		x = 1 - owner[i];
		yes = 1; n = 0;
		do
		:: n < sessions -> yes = yes && !(of_init[n] == i && r_state[n] <= UP); n++
		:: else -> break
		od;
		if
		:: yes ->
			count_alive(x);
			if
			:: n < TABLE
#ifdef MUTANT_half_open_displaces
			:: n >= TABLE ->
				n = 0;
				do
				:: !(RESPONDER(n) == x && r_state[n] <= UP) -> n++
				:: else -> break
				od;
				check_evicted(n, x);
				end_session(n, x, GONE); n = 0
#endif
			:: else /* BUSY: it may come again */
			fi;
			if
			:: n < TABLE -> of_init[sessions] = i; r_boot[sessions] = lives[x]; sessions++
			:: else
			fi
		:: else
		fi; forget(); marks() }
	/* ACCEPT is taken once, and only while it is waited for */
	:: atomic { sessions > 0 ->
		any(s, sessions);
		i = of_init[s]; x = owner[i];
		if
		:: state[i] == WAITING ->
			state[i] = UP; adopted[i] = s;
#if LIVES > 1
			before_accept[i] = sessions; inits_before_accept[i] = inits;
#endif
			end_doubted(s, x);
#ifdef MUTANT_probe_ends_doubt
			n = 0;
			do
			:: n < sessions ->
				if
				:: n != s && IS_UP(n, x) && DOUBT(n, x) && PEER_BOOT(n, x) == PEER_BOOT(s, x) -> set_end(n, x, UP)
				:: else
				fi;
				n++
			:: else -> break
			od
#endif
		:: else
		fi; forget(); marks() }
	/* the PING that follows ACCEPT */
	:: atomic { sessions > 0 ->
		any(s, sessions);
		if
		:: adopted[of_init[s]] == s -> confirm(s, RESPONDER(s))
		:: else
		fi; forget(); marks() }

	/* the program asks; the deadline; the program cancels */
	:: atomic {
		any(r, REQUESTS);
		if
		:: outcome[r] == unborn && (r != 1 || outcome[0] != unborn) -> outcome[r] = waiting
		:: outcome[r] == waiting || outcome[r] == begun -> end_request(r, refused)
		:: outcome[r] == exposed || outcome[r] == cancelling ->
			cancel_sent[r] = 1; cancel_at[r] = at[r]; end_request(r, unknown)
		:: outcome[r] == exposed -> outcome[r] = cancelling; cancel_sent[r] = 1; cancel_at[r] = at[r]
		:: else
		fi; forget(); marks() }
	/* a request is begun in a session; its last byte leaves */
	:: atomic { sessions > 0 ->
		any(r, REQUESTS); any(s, sessions);
		x = FROM(r);
		is_newest(s, x);
		if
		:: outcome[r] == waiting && USABLE(s, FROM(r)) && yes && IN_TURN(s, r) ->
#ifdef ORDERED
			if
			:: r == 1 -> named = (at[0] == s)
			:: else
			fi;
#endif
			outcome[r] = begun; at[r] = s
		:: outcome[r] == begun && at[r] == s && USABLE(s, FROM(r)) && yes ->
			assert(!TOLD(s, FROM(r)));   /* the peer said that it forgot the session */
			assert(!cancel_sent[r]);
			check_newest(s, FROM(r));
			outcome[r] = exposed; OUT(s, r) = 1
#ifdef MUTANT_outbox_moved
		:: outcome[r] == exposed && at[r] != s && USABLE(s, FROM(r)) -> at[r] = s; OUT(s, r) = 1
#endif
#ifdef MUTANT_moved_in_doubt
		:: outcome[r] == begun && at[r] == s && DOUBT(s, FROM(r)) -> outcome[r] = waiting; left_in[r] = s
		:: left_in[r] == s && USABLE(s, FROM(r)) -> OUT(s, r) = 1
#endif
		:: else
		fi; forget(); marks() }
	/* it arrives */
	:: atomic { sessions > 0 ->
		any(r, REQUESTS); any(s, sessions);
		x = 1 - FROM(r);
		if
		:: OUT(s, r) && ALIVE(s, x) ->
			confirm(s, x);
			if
			:: MARK(s, r) == UNSEEN && MAY_START(s, r) -> start(s, r)
			:: MARK(s, r) == UNSEEN -> MARK(s, r) = NO_KEPT /* BUSY, no such name, expired */
			:: MARK(s, r) != UNSEEN
			fi
		:: else
		fi; forget(); marks() }
	:: atomic { sessions > 0 ->
		any(r, REQUESTS);
		s = cancel_at[r]; x = 1 - FROM(r);
		if
		:: cancel_sent[r] && ALIVE(s, x) ->
			confirm(s, x);
			if
			:: MARK(s, r) == UNSEEN -> MARK(s, r) = NO_KEPT
			:: MARK(s, r) == RUNNING -> MARK(s, r) = KILLED
			:: else
			fi
		:: else
		fi; forget(); marks() }
	/* a handler ends; an answer is forgotten */
	:: atomic { sessions > 0 ->
		any(r, REQUESTS); any(s, sessions);
		if
		:: ALIVE(s, 1 - FROM(r)) && MARK(s, r) == RUNNING -> MARK(s, r) = OK_KEPT
		:: ALIVE(s, 1 - FROM(r)) && MARK(s, r) == OK_KEPT -> MARK(s, r) = OK_GONE
		:: ALIVE(s, 1 - FROM(r)) && MARK(s, r) == NO_KEPT -> MARK(s, r) = NO_GONE
		:: else
		fi; forget(); marks() }
	/* an answer arrives */
	:: atomic { sessions > 0 ->
		any(r, REQUESTS); any(s, sessions);
		if
		:: (outcome[r] == exposed || outcome[r] == cancelling) && at[r] == s ->
			if
			:: MARK(s, r) == OK_KEPT || MARK(s, r) == OK_GONE -> end_request(r, ok)
			:: MARK(s, r) == NO_KEPT || MARK(s, r) == NO_GONE -> end_request(r, refused)
			:: MARK(s, r) == OK_GONE || MARK(s, r) == NO_GONE || MARK(s, r) == KILLED -> end_request(r, unknown)
			:: else
			fi
		:: else
		fi; forget(); marks() }

	/* NOSESSION: the other end is over. Doubt ends when a packet sent since is acknowledged, for which the other end
	 * must be there. */
	:: atomic { sessions > 0 ->
		any(s, sessions); any(x, 2);
		if
		:: IS_UP(s, x) && !DOUBT(s, x) ->
#ifdef FORGED
			yes = 1;
#else
			yes = !ALIVE(s, 1 - x);
#endif
			if
			:: yes && x == RESPONDER(s) -> r_doubt[s] = 1; r_told[s] = !ALIVE(s, 1 - x)
			:: yes && x != RESPONDER(s) -> doubt[of_init[s]] = 1; told[of_init[s]] = !ALIVE(s, 1 - x)
			:: else
			fi
		:: IS_UP(s, x) && DOUBT(s, x) && ALIVE(s, 1 - x) -> set_end(s, x, UP)
#ifdef MUTANT_late_packet_ends_doubt
		:: IS_UP(s, x) && DOUBT(s, x) -> set_end(s, x, UP)
#endif
		:: else
		fi; forget(); marks() }
	/* a session ends: three PTO in doubt, three PINGs lost, unheard for the idle time; or CLOSE comes */
	:: atomic { sessions > 0 ->
		any(s, sessions); any(x, 2);
		if
		:: IS_UP(s, x) -> end_session(s, x, CLOSED)
		:: IS_UP(s, x) && CLOSE_OUT(s, 1 - x) -> take_close(s, x)
		:: x == RESPONDER(s) && r_state[s] == WAITING -> r_state[s] = GONE /* after 15 s */
		:: else
		fi; forget(); marks() }
	:: atomic { inits > 0 ->
		any(i, inits);
		if
		:: state[i] == WAITING -> state[i] = GONE
		:: else
		fi; forget(); marks() }
	/* an idle session makes room, with one CLOSE */
	:: atomic { sessions > 0 ->
		any(s, sessions);
		x = RESPONDER(s);
		if
		:: r_state[s] == UP ->
			is_idle(s, x);
			if
			:: yes -> check_evicted(s, x); end_session(s, x, CLOSED)
			:: else
			fi
		:: else
		fi; forget(); marks() }
#if LIVES > 1
	:: atomic {
		any(x, RESTARTERS);
		if
		:: lives[x] < LIVES - 1 ->
			n = 0;
			do
			:: n < sessions ->
				if
				:: ALIVE(n, x) -> set_end(n, x, GONE)
				:: else
				fi;
				n++
			:: else -> break
			od;
			n = 0;
			do
			:: n < inits ->
				if
				:: owner[n] == x && state[n] == WAITING -> state[n] = GONE
				:: else
				fi;
				n++
			:: else -> break
			od;
			r = 0;
			do
			:: r < REQUESTS ->
				if /* nobody is left to be told */
				:: FROM(r) == x && outcome[r] != unborn && outcome[r] != ok && outcome[r] != refused ->
					outcome[r] = unknown; at[r] = NONE
				:: else
				fi;
				r++
			:: else -> break
			od;
			lives[x]++
		:: else
		fi; forget(); marks() }
#endif
	od
}
