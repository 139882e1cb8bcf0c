/* calm.pml - that everything comes to an end: every request does, and then both sides fall silent.
 *
 * One client, one responder with room for one session, two channels. What goes wrong is counted: so many datagrams are
 * lost, so many timers are early, one eviction, one restart. Then the network is good, and a timer goes off only when
 * nothing is on its way. So every run must end: a cycle is an endless exchange, and what is unfinished at the end hangs.
 *
 * pan -l finds the cycles. -DMUTANT_<name> breaks a rule, -DREACH=n asks for a situation.
 */
#define LIVENESS /* no label marks progress: each cycle is one without */

#ifndef LOSSES
#define LOSSES 2
#endif
#ifndef EARLY
#define EARLY 1
#endif
#ifndef EVICTIONS
#define EVICTIONS 1
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#define REQUESTS 2
#define NONE 15
#define ANOTHERS 14 /* a session of another client, whose handler runs for a while */
#define PTOS 3

mtype = { INIT, ACCEPT, BUSY, PING, ACK, REQUEST, REPLY, ACCEPTED, NOSESSION, CLOSE };
#define ROOM 4
chan to_server = [ROOM] of { mtype, byte, byte }; /* session, request; INIT: initiator's id */
chan to_client = [ROOM] of { mtype, byte, byte }; /* session, request; ACCEPT, BUSY: initiator's id, session */

byte losses = LOSSES, early = EARLY, evictions = EVICTIONS, restarts = RESTARTS;
bit another = 1, disturbed; /* disturbed: a session was lost */

/* The client: a session, and in doubt the probe for the next one. */
byte inits, waiting = NONE;            /* initiator's id of what waits for ACCEPT */
byte mine = NONE, next = NONE;         /* sessions in use; next: the probe's, until the doubt ends */
byte busied, silent;                   /* BUSYs since the session there ended; PTOs of doubt or of unanswered PINGs */
bit heard, doubt, asked;               /* heard: a packet of ours was acknowledged; asked: the PING is in flight */
bit was_busy;
mtype = { unborn, waits, exposed, accepted, ok, unknown };
mtype outcome[REQUESTS] = unborn;
bit quiet_timer[REQUESTS];
bit turn; /* the client sent last: no timer goes off twice before another that is due */

/* The responder. */
byte made, theirs = NONE, of_init;
bit confirmed;
mtype = { unseen, running, pulled, pushed, settled };
mtype mark[REQUESTS] = unseen;
byte pushes, patience;

byte a, b, r;
mtype what;
inline forget() { a = 0; b = 0; r = 0; what = 0 }

inline send(channel, type, x, y)
{
	if
	:: len(channel) < ROOM -> channel!type, x, y
	:: else /* lost */
	fi
}

#define CALM (len(to_server) == 0 && len(to_client) == 0)
#define TIME (CALM || early > 0)
inline time_passes()
{
	if
	:: CALM
	:: !CALM -> early--
	fi
}

#define OPEN(q) (outcome[q] == exposed || outcome[q] == accepted)
#define WANTS (outcome[0] == waits || outcome[1] == waits)

/* ---- the client ------------------------------------------------------------------------------- */

inline begin_session(t)
{
	mine = t; heard = 0; doubt = 0; asked = 0; silent = 0;
	send(to_server, PING, mine, 0)
}

inline end_mine()
{
	r = 0;
	do
	:: r < REQUESTS && OPEN(r) -> outcome[r] = unknown; r++
	:: r < REQUESTS && !OPEN(r) -> r++
	:: r == REQUESTS -> break
	od;
	mine = NONE; doubt = 0; asked = 0; silent = 0; disturbed = 1;
	if
	:: next != NONE -> a = next; next = NONE; begin_session(a)
	:: else
	fi
}

inline client_receives()
{
	to_client?what, a, b;
	if
	:: what == ACCEPT && a == waiting ->
		waiting = NONE;
		if
		:: mine == NONE -> begin_session(b)
		:: else -> next = b; send(to_server, PING, next, 0)
		fi
	:: what == BUSY && a == waiting -> busied++; was_busy = 1
	:: what == ACK && a == mine ->
#ifdef MUTANT_acks_acknowledged
		send(to_server, ACK, mine, 0);
#endif
		heard = 1; asked = 0; doubt = 0; silent = 0;
#ifdef MUTANT_ack_stops_the_timer
		quiet_timer[0] = 1; quiet_timer[1] = 1
#endif
	:: what == ACCEPTED && a == mine ->
		heard = 1; asked = 0; silent = 0; doubt = 0;
		if
		:: outcome[b] == exposed -> outcome[b] = accepted
		:: else
		fi;
		send(to_server, ACK, mine, NONE)
	:: what == REPLY && a == mine ->
		heard = 1; silent = 0; doubt = 0;
		if
		:: OPEN(b) -> outcome[b] = ok
		:: else
		fi;
		send(to_server, ACK, mine, b)
	:: what == NOSESSION && a == mine ->
		doubt = 1
#ifdef MUTANT_doubt_pings_at_once
		; send(to_server, PING, mine, 0)
#endif
	:: what == CLOSE && a == mine -> end_mine()
	:: what == NOSESSION && a != mine
#ifdef MUTANT_nosession_answered
		-> send(to_server, NOSESSION, a, 0)
#endif
	:: else
	fi
}

/* ---- the responder ---------------------------------------------------------------------------- */

#define PUSHING (mark[0] == pushed || mark[1] == pushed)
#define IDLE (mark[0] != running && mark[0] != pulled && mark[0] != pushed \
	&& mark[1] != running && mark[1] != pulled && mark[1] != pushed)

#define WOULD_BE_BUSY (theirs == ANOTHERS || theirs != NONE && of_init != waiting && !IDLE)

inline end_theirs()
{
	theirs = NONE; confirmed = 0; pushes = 0; busied = 0;
	mark[0] = unseen; mark[1] = unseen
}

inline make_session()
{
	theirs = made; of_init = a; made++;
	send(to_client, ACCEPT, a, theirs)
}

inline server_receives()
{
	to_server?what, a, b;
	if
	:: what == INIT && theirs != NONE && theirs != ANOTHERS && of_init == a -> send(to_client, ACCEPT, a, theirs)
	:: what == INIT && theirs == NONE -> make_session()
	:: what == INIT && theirs == ANOTHERS -> send(to_client, BUSY, a, 0)
	:: what == INIT && theirs != NONE && theirs != ANOTHERS && of_init != a && IDLE ->
		send(to_client, CLOSE, theirs, 0);
		end_theirs(); make_session()
	:: what == INIT && theirs != NONE && theirs != ANOTHERS && of_init != a && !IDLE -> send(to_client, BUSY, a, 0)
	:: what == PING && a == theirs -> confirmed = 1; send(to_client, ACK, theirs, 0)
	:: what == REQUEST && a == theirs ->
		confirmed = 1;
		if
		:: mark[b] == unseen -> mark[b] = pulled; send(to_client, REPLY, theirs, b) /* within the ACK delay */
		:: mark[b] == unseen -> mark[b] = running; patience = PTOS; send(to_client, ACCEPTED, theirs, b)
		:: mark[b] == running -> send(to_client, ACCEPTED, theirs, b)
		:: mark[b] == pulled -> send(to_client, REPLY, theirs, b)
		:: mark[b] == pushed || mark[b] == settled -> send(to_client, ACK, theirs, 0)
		fi
	:: what == ACK && a == theirs ->
#ifdef MUTANT_acks_acknowledged
		send(to_client, ACK, theirs, 0);
#endif
		if
		:: b < REQUESTS -> mark[b] = settled; pushes = 0
		:: else
		fi
	:: (what == PING || what == REQUEST) && a != theirs -> send(to_client, NOSESSION, a, 0)
#ifdef MUTANT_nosession_answered
	:: what == NOSESSION && a != theirs -> send(to_client, NOSESSION, a, 0)
#endif
	:: else
	fi
}

active proctype world()
{
	do
	/* what goes wrong */
	:: atomic { losses > 0 && len(to_server) > 0 -> losses--; to_server?what, a, b; forget() }
	:: atomic { losses > 0 && len(to_client) > 0 -> losses--; to_client?what, a, b; forget() }
	:: atomic { restarts > 0 && theirs != NONE && theirs != ANOTHERS -> restarts--; disturbed = 1; end_theirs(); forget() }
	:: atomic { evictions > 0 && confirmed && IDLE -> /* without an INIT of the client's */
		evictions--; disturbed = 1; send(to_client, CLOSE, theirs, 0); end_theirs(); forget() }

	:: atomic { len(to_client) > 0 -> client_receives(); forget() }
	:: atomic { len(to_server) > 0 -> server_receives(); forget() }

	/* the program asks; the request leaves */
	:: atomic { outcome[0] == unborn -> outcome[0] = waits }
	:: atomic { outcome[1] == unborn && outcome[0] != unborn -> outcome[1] = waits }
	:: atomic { WANTS && mine == NONE && waiting == NONE -> waiting = inits; inits++; send(to_server, INIT, waiting, 0) }
	:: atomic { WANTS && mine != NONE && !doubt ->
		r = (outcome[0] == waits -> 0 : 1);
		outcome[r] = exposed; quiet_timer[r] = 0; send(to_server, REQUEST, mine, r); forget() }

	/* timers of the client. Of INITs that draw BUSY two are enough: what is busy ends. */
#ifdef MUTANT_busy_for_ever
	:: atomic { waiting != NONE && !was_busy && TIME -> time_passes(); send(to_server, INIT, waiting, 0) }
#else
	:: atomic { waiting != NONE && (busied < 2 || !WOULD_BE_BUSY) && TIME -> time_passes(); send(to_server, INIT, waiting, 0) }
#endif
	:: atomic { mine != NONE && !heard && !doubt && TIME -> time_passes(); send(to_server, PING, mine, 0) }
	:: atomic { (mine != NONE && !doubt && TIME && !(turn && PUSHING)
		&& (outcome[0] == exposed && !quiet_timer[0] || outcome[1] == exposed && !quiet_timer[1])) ->
		time_passes();
		turn = 1;
		r = (outcome[0] == exposed && !quiet_timer[0] -> 0 : 1);
		send(to_server, REQUEST, mine, r); forget() }
	/* while it is unanswered; a handler ends within some of these */
#ifndef MUTANT_no_ping_while_accepted
	:: atomic { (mine != NONE && !doubt && (outcome[0] == accepted || outcome[1] == accepted) && silent < PTOS && TIME
		&& (mine != theirs || patience > 0)) ->
		time_passes();
		patience = (patience > 0 && mine == theirs -> patience - 1 : patience);
		asked = 1; silent++; send(to_server, PING, mine, 0) }
	:: atomic { mine != NONE && asked && silent == PTOS && TIME && !doubt -> time_passes(); end_mine(); forget() }
#endif
	/* in doubt: one probe, PINGs, and an end */
	:: atomic { doubt && waiting == NONE && next == NONE -> waiting = inits; inits++; send(to_server, INIT, waiting, 0) }
	:: atomic { doubt && silent < PTOS && TIME -> time_passes();
#ifndef MUTANT_doubt_without_end
		silent++;
#endif
		send(to_server, PING, mine, 0) }
	:: atomic { doubt && silent == PTOS && TIME -> time_passes(); end_mine(); forget() }

	/* a handler ends; its reply is pushed */
	:: atomic { mark[0] == running || mark[1] == running ->
		r = (mark[0] == running -> 0 : 1);
		mark[r] = pushed; send(to_client, REPLY, theirs, r); forget() }
#ifndef MUTANT_reply_not_pushed
	:: atomic { PUSHING && TIME && (mine == theirs || pushes < PTOS) ->
		time_passes();
		r = (mark[0] == pushed -> 0 : 1);
		turn = 0;
		pushes = (pushes < PTOS -> pushes + 1 : pushes);
		send(to_client, REPLY, theirs, r); forget() }
#endif
	:: atomic { another && theirs == NONE -> another = 0; theirs = ANOTHERS; of_init = NONE }
	:: atomic { theirs == ANOTHERS -> end_theirs(); forget() }
	/* nobody speaks in it: half-open for 15 s, or the idle time. Longer than what the client waits for */
	:: atomic { (theirs != NONE && theirs != ANOTHERS && mine != theirs && next != theirs && (waiting != of_init || confirmed) && CALM
		&& !(pushes < PTOS && PUSHING)) ->
		send(to_client, CLOSE, theirs, 0); end_theirs(); forget() }
	:: else -> break
	od;
	/* all came to an end, and all is silent */
	assert(CALM);
	assert(outcome[0] == ok || outcome[0] == unknown);
	assert(outcome[1] == ok || outcome[1] == unknown);
	/* and well, where no session was lost */
	assert(disturbed || outcome[0] == ok && outcome[1] == ok)
#ifdef REACH
	; assert(!(REACH == 1 && outcome[0] == unknown && outcome[1] == ok && losses == 0));
	assert(!(REACH == 2 && made == 3));
	assert(!(REACH == 3 && was_busy && outcome[1] == ok))
#endif
}
