/* session.pml - sessions and requests between one initiator and one responder, under the worst network.
 *
 * The network is a set that only grows: what was once sent can arrive at any later time, any number of times, or
 * never. That is loss, duplication, reordering and delay by minutes at once, and it outlives restarts of both
 * sides. Time is a choice: a deadline, an idle time, an expiry can strike whenever the rules allow it.
 *
 * Initiator ids, session ids and message ids are numbered in the order in which they are made; what makes real ones
 * unique is not modelled. Every branch of the one loop is an action of one side, taken whole.
 *
 * Build with -DMUTANT_<name> to break one rule; each must give a counterexample (see run). Build with -DREACH=n to
 * ask whether situation n occurs at all: its assertion must fail.
 */

#ifndef INITS
#define INITS 3 /* initiator ids, over all lives of the client */
#endif
#ifndef SESSIONS
#define SESSIONS 3 /* responder session ids, over all lives of the server */
#endif
#define IDS 2      /* message ids in a session */
#define REQUESTS 2 /* requests 0 and 1; 0 is what IDEMPOTENT speaks of */
#ifndef TABLE
#define TABLE 1 /* sessions that the server remembers */
#endif
#ifndef BOOTS
#define BOOTS 2 /* lives of the server */
#endif
#ifndef LIVES
#define LIVES 2 /* lives of the client */
#endif
#define NONE 7

/* What is in the network. Replies carry their kind and, for OK, the request whose run made them. */
#define OK0 0 /* OK with the result of request 0; OK0 + 1 of request 1 */
#define BUSY 2
#define CANCELLED 3
#define GONE 4
#define KINDS 5

bit net_init[INITS];
bit net_accept[INITS * SESSIONS];
bit net_request[SESSIONS * IDS * REQUESTS];
bit net_cancel[SESSIONS * IDS];
bit net_reply[INITS * IDS * KINDS];
bit net_nosession[SESSIONS];
bit net_close[INITS * (IDS + 1)]; /* with the first id that will never run */

/* The client. A session of its own is named by the initiator id. */
byte inits;         /* initiator ids used up */
byte lives;         /* restarts so far */
byte current;       /* initiator id of its session, NONE: none */
byte adopted;       /* the responder's id of it, NONE: still waiting for ACCEPT */
byte next_id;       /* message id that the next request gets */
bit probing;        /* NOSESSION was heard: the session is in doubt */

mtype = { unborn, waiting, exposed, cancelling, ok, refused, unknown };
mtype outcome[REQUESTS] = unborn;
byte at_id[REQUESTS] = NONE; /* message id in the current session */
bit was_exposed[REQUESTS];   /* in an earlier session: idempotent ones only */

/* The server. */
byte sessions;      /* session ids used up */
byte boots;
byte slot_session[TABLE] = NONE;
byte slot_init[TABLE] = NONE;
bit slot_confirmed[TABLE];

mtype = { unseen, running, stored, settled };
mtype mark[TABLE * IDS] = unseen;
byte answer[TABLE * IDS] = NONE;
byte work[TABLE * IDS] = NONE; /* the request that runs */

/* What an outside observer knows. */
byte runs[REQUESTS];

#define ACCEPT(i, s) net_accept[(i) * SESSIONS + (s)]
#define REQUEST(s, m, r) net_request[((s) * IDS + (m)) * REQUESTS + (r)]
#define CANCEL(s, m) net_cancel[(s) * IDS + (m)]
#define REPLY(i, m, k) net_reply[((i) * IDS + (m)) * KINDS + (k)]
#define CLOSE(i, m) net_close[(i) * (IDS + 1) + (m)]
#define MARK(t, m) mark[(t) * IDS + (m)]
#define ANSWER(t, m) answer[(t) * IDS + (m)]
#define WORK(t, m) work[(t) * IDS + (m)]

#ifdef IDEMPOTENT
#define IS_IDEMPOTENT(r) ((r) == 0)
#else
#define IS_IDEMPOTENT(r) false
#endif

mtype how;
byte i, s, m, r, t, k, found; /* of the action under way; 0 between actions */

inline forget() { i = 0; s = 0; m = 0; r = 0; t = 0; k = 0; found = 0 }

/* ---- the client ------------------------------------------------------------------------------- */

/* An idempotent request that was exposed in an earlier session may have run there: nothing that is said in a later one
 * can make it REFUSED. */
inline end_request(x, said)
{
#ifdef MUTANT_refused_after_reissue
	how = said;
#else
	how = (said == refused && was_exposed[x] -> unknown : said);
#endif
	/* exactly one outcome */
	assert(outcome[x] == waiting || outcome[x] == exposed || outcome[x] == cancelling);
	/* OK has run; REFUSED has not, and never will (see start_handler) */
	assert(how != ok || runs[x] >= 1);
	assert(how != refused || runs[x] == 0);
	outcome[x] = how;
	at_id[x] = NONE;
	how = 0
}

/* The session is over: what was exposed may have run. What was not waits for the next session. */
inline end_session()
{
	r = 0;
	do
	:: r < REQUESTS && (outcome[r] == exposed || outcome[r] == cancelling) ->
		if
		:: IS_IDEMPOTENT(r) && outcome[r] == exposed ->
			outcome[r] = waiting; at_id[r] = NONE; was_exposed[r] = 1
#ifdef MUTANT_reissue
		:: outcome[r] == exposed -> outcome[r] = waiting; at_id[r] = NONE
#endif
#ifdef MUTANT_lost_is_refused
		:: else -> end_request(r, refused)
#else
		:: else -> end_request(r, unknown)
#endif
		fi;
		r++
	:: r < REQUESTS && !(outcome[r] == exposed || outcome[r] == cancelling) -> r++
	:: else -> break
	od;
	current = NONE; adopted = NONE; next_id = 0; probing = 0
}

inline client_restart()
{
	r = 0;
	do
	:: r < REQUESTS ->
		/* nobody is left to be told how an unfinished request ended */
		if
		:: outcome[r] == waiting || outcome[r] == exposed || outcome[r] == cancelling ->
			outcome[r] = unknown; at_id[r] = NONE
		:: else
		fi;
		r++
	:: else -> break
	od;
	current = NONE; adopted = NONE; next_id = 0; probing = 0;
#ifdef MUTANT_initiator_id_reused
	inits = 0;
#endif
	lives++
}

inline client_takes_reply()
{
	r = 0;
	do
	:: r < REQUESTS && at_id[r] == m && (outcome[r] == exposed || outcome[r] == cancelling) ->
		if
		:: k < BUSY ->
			assert(k - OK0 == r); /* the reply is this request's own */
			end_request(r, ok)
		:: k == BUSY || k == CANCELLED -> end_request(r, refused)
		:: k == GONE -> end_request(r, unknown)
		fi;
		break
	:: r < REQUESTS && !(at_id[r] == m && (outcome[r] == exposed || outcome[r] == cancelling)) -> r++
	:: else -> break
	od
}

inline client_takes_close()
{
	r = 0;
	do
	:: r < REQUESTS && (outcome[r] == exposed || outcome[r] == cancelling) && at_id[r] >= m ->
		end_request(r, refused); r++
	:: r < REQUESTS && !((outcome[r] == exposed || outcome[r] == cancelling) && at_id[r] >= m) -> r++
	:: else -> break
	od;
	end_session()
}

/* ---- the server ------------------------------------------------------------------------------- */

inline find_session() /* s -> t, TABLE: none */
{
	t = 0;
	do
	:: t < TABLE && slot_session[t] != s -> t++
	:: else -> break
	od
}

inline drop_slot()
{
	slot_session[t] = NONE; slot_init[t] = NONE; slot_confirmed[t] = 0;
	m = 0;
	do
	:: m < IDS -> MARK(t, m) = unseen; ANSWER(t, m) = NONE; WORK(t, m) = NONE; m++
	:: else -> break
	od
}

/* Neither a running handler nor an unsettled reply: only such a session may be forgotten. */
inline is_idle() /* t -> found */
{
	found = 1; m = 0;
	do
#ifdef MUTANT_evicts_running
	:: m < IDS -> m++
#else
	:: m < IDS -> found = found && (MARK(t, m) == unseen || MARK(t, m) == settled); m++
#endif
	:: else -> break
	od
}

/* The first id that is unseen: from there on nothing ran, and with the session gone nothing will. */
inline say_close()
{
	m = IDS;
	do
	:: m > 0 && MARK(t, m - 1) == unseen -> m--
	:: else -> break
	od;
#ifdef MUTANT_close_too_low
	if
	:: m > 0 -> m--
	:: else
	fi;
#endif
	CLOSE(slot_init[t], m) = 1
}

inline server_takes_init()
{
	t = 0;
	do /* a copy draws the same ids */
	:: t < TABLE && slot_init[t] != i -> t++
	:: else -> break
	od;
	if
	:: t < TABLE -> ACCEPT(i, slot_session[t]) = 1
	:: else ->
		t = 0;
		do
		:: t < TABLE && slot_session[t] != NONE -> t++
		:: else -> break
		od;
		if
		:: t < TABLE && sessions < SESSIONS ->
			slot_session[t] = sessions; slot_init[t] = i; sessions++;
			ACCEPT(i, slot_session[t]) = 1
		:: else /* full: silence, until a session ends or is evicted */
		fi
	fi
}

inline start_handler()
{
	assert(IS_IDEMPOTENT(r) || runs[r] == 0);    /* at most once */
	assert(outcome[r] != refused);               /* REFUSED was the truth */
	if
	:: runs[r] < 2 -> runs[r]++
	:: else
	fi;
	MARK(t, m) = running;
	WORK(t, m) = r
}

inline send_answer() /* what is stored, or that it is gone */
{
	if
	:: MARK(t, m) == stored -> REPLY(slot_init[t], m, ANSWER(t, m)) = 1
	:: MARK(t, m) == settled -> REPLY(slot_init[t], m, GONE) = 1
	:: else
	fi
}

inline answer_with(kind)
{
	ANSWER(t, m) = kind;
	MARK(t, m) = stored;
	REPLY(slot_init[t], m, kind) = 1
}

inline server_takes_request()
{
	find_session();
	if
	:: t == TABLE -> net_nosession[s] = 1
	:: else ->
		slot_confirmed[t] = 1;
		if
		:: MARK(t, m) == unseen -> start_handler()
#ifdef MUTANT_busy_not_recorded
		:: MARK(t, m) == unseen -> REPLY(slot_init[t], m, BUSY) = 1
#else
		:: MARK(t, m) == unseen -> answer_with(BUSY)
#endif
		:: MARK(t, m) != unseen -> send_answer()
#ifdef MUTANT_duplicate_runs
		:: MARK(t, m) == running -> start_handler()
#endif
#ifdef MUTANT_settled_runs
		:: MARK(t, m) == settled -> start_handler()
#endif
		fi
	fi
}

inline server_takes_cancel()
{
	find_session();
	if
	:: t == TABLE -> net_nosession[s] = 1
	:: else ->
		slot_confirmed[t] = 1;
		if
#ifdef MUTANT_cancel_not_recorded
		:: MARK(t, m) == unseen -> REPLY(slot_init[t], m, CANCELLED) = 1
#else
		:: MARK(t, m) == unseen -> answer_with(CANCELLED)
#endif
#ifdef MUTANT_cancel_of_running_refuses
		:: MARK(t, m) == running -> answer_with(CANCELLED); WORK(t, m) = NONE
#else
		:: MARK(t, m) == running -> answer_with(GONE); WORK(t, m) = NONE /* killed: it did run */
#endif
		:: MARK(t, m) == stored || MARK(t, m) == settled -> send_answer()
		fi
	fi
}

inline server_restart()
{
	t = 0;
	do
	:: t < TABLE -> drop_slot(); t++
	:: else -> break
	od;
#ifdef MUTANT_session_id_reused
	sessions = 0;
#endif
	boots++
}

/* ---- situations that must occur, else the model proves nothing ---------------------------------- */
inline marks()
{
#ifdef REACH
	assert(!(REACH == 1 && outcome[0] == ok && outcome[1] == ok));
	assert(!(REACH == 2 && outcome[0] == refused && outcome[1] == ok));
	assert(!(REACH == 3 && outcome[0] == unknown && runs[0] == 0 && lives == 0));
	assert(!(REACH == 4 && outcome[0] == unknown && runs[0] == 1 && lives == 0));
	assert(!(REACH == 5 && outcome[0] == ok && outcome[1] == ok && boots == BOOTS - 1 && lives == LIVES - 1));
	assert(!(REACH == 6 && outcome[0] == refused && net_cancel[0]));
	assert(!(REACH == 7 && runs[0] == 2 && outcome[0] == ok)); /* idempotent: ran twice, and says OK */
	assert(!(REACH == 8 && outcome[0] == ok && sessions == SESSIONS));
#endif
	skip
}

active proctype world()
{
	current = NONE; adopted = NONE;
	do
	/* a session starts */
	:: atomic { current == NONE && inits < INITS ->
		current = inits; inits++; net_init[current] = 1; marks() }
	/* ACCEPT is taken once, and only while we wait for it */
#ifdef MUTANT_second_accept
	:: atomic { current != NONE -> s = 0;
#else
	:: atomic { current != NONE && adopted == NONE -> s = 0;
#endif
		do
		:: s < SESSIONS - 1 -> s++
		:: break
		od;
		if
		:: ACCEPT(current, s) ->
#ifdef MUTANT_second_accept
			/* what is in flight is sent again to the new id */
			r = 0;
			do
			:: r < REQUESTS && outcome[r] == exposed -> REQUEST(s, at_id[r], r) = 1; r++
			:: r < REQUESTS && outcome[r] != exposed -> r++
			:: else -> break
			od;
#endif
			adopted = s
		:: else
		fi; forget(); marks() }
	/* the program asks */
	:: atomic { outcome[0] == unborn -> outcome[0] = waiting }
	:: atomic { outcome[1] == unborn -> outcome[1] = waiting }
	/* the last byte of a request leaves: it is exposed */
	:: atomic { adopted != NONE && next_id < IDS && !probing ->
		if
		:: outcome[0] == waiting -> r = 0
		:: outcome[1] == waiting -> r = 1
		:: else -> r = NONE
		fi;
		if
		:: r != NONE ->
			at_id[r] = next_id; next_id++;
#ifdef MUTANT_exposed_late
			/* the byte is out, the mark is not */
			REQUEST(adopted, at_id[r], r) = 1
#else
			outcome[r] = exposed;
			REQUEST(adopted, at_id[r], r) = 1
#endif
		:: else
		fi; forget(); marks() }
	/* a reply arrives; the receiver's id must be that of the session */
	:: atomic { current != NONE ->
		do
		:: m < IDS - 1 -> m++
		:: break
		od;
		do
		:: k < KINDS - 1 -> k++
		:: break
		od;
#ifdef MUTANT_reply_of_any_session
		do
		:: i < INITS - 1 -> i++
		:: break
		od;
#else
		i = current;
#endif
		if
		:: REPLY(i, m, k) -> client_takes_reply()
		:: else
		fi; forget(); marks() }
	/* the deadline strikes, or the program cancels what was not exposed */
	:: atomic {
		if
		:: outcome[0] == waiting -> end_request(0, refused)
		:: outcome[1] == waiting -> end_request(1, refused)
#ifdef MUTANT_timeout_is_refused
		:: outcome[0] == exposed -> end_request(0, refused)
#else
		:: outcome[0] == exposed || outcome[0] == cancelling -> end_request(0, unknown)
#endif
		:: outcome[1] == exposed || outcome[1] == cancelling -> end_request(1, unknown)
		fi; marks() }
	/* the program cancels what was exposed */
	:: atomic { adopted != NONE && outcome[0] == exposed ->
		outcome[0] = cancelling; CANCEL(adopted, at_id[0]) = 1 }
	/* NOSESSION counts only for the session in use, and only casts doubt; the probe that follows finds the session
	 * alive (the doubt ends) or not (the session ends) */
	:: atomic { adopted != NONE && !probing && net_nosession[adopted] -> probing = 1 }
	:: atomic { probing -> probing = 0 }
	/* the session ends: idle, probe unanswered, boot id changed, three pings unanswered */
	:: atomic { current != NONE -> end_session(); forget(); marks() }
	:: atomic { current != NONE ->
		do
		:: m < IDS -> m++
		:: break
		od;
		if
		:: CLOSE(current, m) -> client_takes_close()
		:: else
		fi; forget(); marks() }
	:: atomic { lives < LIVES - 1 -> client_restart(); forget() }

	/* the server */
	:: atomic {
		do
		:: i < INITS - 1 -> i++
		:: break
		od;
		if
		:: net_init[i] -> server_takes_init()
		:: else
		fi; forget() }
	:: atomic {
		do
		:: s < SESSIONS - 1 -> s++
		:: break
		od;
		do
		:: m < IDS - 1 -> m++
		:: break
		od;
		do
		:: r < REQUESTS - 1 -> r++
		:: break
		od;
		if
		:: REQUEST(s, m, r) -> server_takes_request()
		:: else
		fi; forget() }
	:: atomic {
		do
		:: s < SESSIONS - 1 -> s++
		:: break
		od;
		do
		:: m < IDS - 1 -> m++
		:: break
		od;
		if
		:: CANCEL(s, m) -> server_takes_cancel()
		:: else
		fi; forget() }
	/* a handler ends; a stored reply is settled (acknowledged, or at deadline + 3 PTO) */
	:: atomic {
		do
		:: t < TABLE - 1 -> t++
		:: break
		od;
		do
		:: m < IDS - 1 -> m++
		:: break
		od;
		if
		:: MARK(t, m) == running -> r = WORK(t, m); WORK(t, m) = NONE; answer_with(OK0 + r)
#ifdef MUTANT_forgets_seen
		:: MARK(t, m) == stored -> MARK(t, m) = unseen; ANSWER(t, m) = NONE
#else
		:: MARK(t, m) == stored -> MARK(t, m) = settled; ANSWER(t, m) = NONE
#endif
		:: else
		fi; forget() }
	/* a half-open entry expires; an idle session is ended or evicted, with one CLOSE */
	:: atomic {
		do
		:: t < TABLE - 1 -> t++
		:: break
		od;
		is_idle();
		if
		:: slot_session[t] != NONE && !slot_confirmed[t] -> drop_slot()
		:: slot_session[t] != NONE && slot_confirmed[t] && found ->
			m = 0;
			do /* no handler loses the session that it works for */
			:: m < IDS -> assert(MARK(t, m) != running); m++
			:: else -> break
			od;
			say_close(); drop_slot()
		:: else
		fi; forget() }
	:: atomic { boots < BOOTS - 1 -> server_restart(); forget() }
	od
}
