/* fork.pml - a process with a session forks: what parent and child, who share all memory as it was, may do.
 *
 * The network is a set that only grows, as in session.pml. Both read the same socket, so that each datagram comes to
 * either. The one that reads what is meant for the other, and drops it, is one more loss.
 *
 * The rule: the child uses no session of its parent's, no id from its seed, and answers nothing that comes to the
 * socket. It makes an endpoint of its own. -DMUTANT_<name> breaks the rule, -DREACH=n asks for a situation.
 */

#define PARENT 0
#define CHILD 1
#define REQUESTS 3 /* 0 and 1 are the parent's, 2 is the child's */
#define OF(r) ((r) / 2)
#define INITS 4    /* 0 and 1 from the parent's seed, 2 and 3 from the child's */
#define SESSIONS 3
#define IDS 2
#ifdef MUTANT_child_keeps_the_seed
#define FIRST_INIT(p) 0
#else
#define FIRST_INIT(p) ((p) * 2)
#endif
#define LAST_INIT(p) (FIRST_INIT(p) + 2)
#define NONE 7

bit net_init[INITS], net_accept[INITS * SESSIONS], net_request[SESSIONS * IDS * REQUESTS];
bit net_reply[INITS * IDS * REQUESTS];
#define ACCEPT(i, s) net_accept[(i) * SESSIONS + (s)]
#define REQUEST(s, m, r) net_request[((s) * IDS + (m)) * REQUESTS + (r)]
#define REPLY(i, m, r) net_reply[((i) * IDS + (m)) * REQUESTS + (r)] /* made by the run of r */

/* The two processes. */
bit forked;
byte next_init[2];                       /* from the seed */
byte current[2] = NONE, adopted[2] = NONE, next_id[2];
mtype = { unborn, waiting, exposed, ok, unknown };
mtype outcome[REQUESTS] = unborn;
byte at_id[REQUESTS] = NONE;
bit refuted; /* somebody with our address said that he does not know a session that lives */

/* The responder. */
byte sessions, of_init[SESSIONS] = NONE;
byte ran[SESSIONS * IDS] = NONE;         /* whose run the answer is */
#define RAN(s, m) ran[(s) * IDS + (m)]
byte runs[REQUESTS];

byte p, i, s, m, r, k;
inline forget() { p = 0; i = 0; s = 0; m = 0; r = 0; k = 0 }

inline any(variable, below)
{
	variable = 0;
	do
	:: variable < (below) - 1 -> variable++
	:: break
	od
}

inline check()
{
	assert(!refuted);
#ifdef REACH
	assert(!(REACH == 1 && forked && outcome[0] == ok && outcome[1] == ok && outcome[2] == ok));
	assert(!(REACH == 2 && outcome[0] == exposed && outcome[2] == ok));
#endif
}

active proctype world()
{
	do
	:: atomic { !forked ->
		forked = 1;
		next_init[CHILD] = FIRST_INIT(CHILD);
#ifdef MUTANT_child_goes_on
		current[CHILD] = current[PARENT]; adopted[CHILD] = adopted[PARENT]; next_id[CHILD] = next_id[PARENT]
#elif defined(MUTANT_child_keeps_the_seed)
		next_init[CHILD] = next_init[PARENT]
#endif
	   }
	:: atomic {
		any(p, 1 + forked);
		if
		:: current[p] == NONE && next_init[p] < LAST_INIT(p) ->
			current[p] = next_init[p]; net_init[current[p]] = 1; next_init[p]++
		:: else
		fi; forget() }
	:: atomic {
		any(p, 1 + forked); any(s, SESSIONS);
		if
		:: current[p] != NONE && adopted[p] == NONE && ACCEPT(current[p], s) -> adopted[p] = s
		:: else
		fi; forget() }
	:: atomic {
		any(r, REQUESTS); p = OF(r);
		if
		:: outcome[r] == unborn && (p == PARENT || forked) && (r != 1 || outcome[0] != unborn) -> outcome[r] = waiting
		:: outcome[r] == waiting && adopted[p] != NONE && next_id[p] < IDS ->
			at_id[r] = next_id[p]; next_id[p]++;
			outcome[r] = exposed; REQUEST(adopted[p], at_id[r], r) = 1
		:: outcome[r] == exposed ->
			any(k, REQUESTS);
			if
			:: REPLY(current[p], at_id[r], k) ->
				assert(k == r); /* the reply is this request's own */
				assert(runs[r] == 1);
				outcome[r] = ok; at_id[r] = NONE
			:: else
			fi
		:: else
		fi; check(); forget() }
	/* a session is lost */
	:: atomic {
		any(p, 1 + forked);
		r = 0;
		do
		:: r < REQUESTS && OF(r) == p && outcome[r] == exposed -> outcome[r] = unknown; at_id[r] = NONE; r++
		:: r < REQUESTS && !(OF(r) == p && outcome[r] == exposed) -> r++
		:: else -> break
		od;
		current[p] = NONE; adopted[p] = NONE; next_id[p] = 0; forget() }
#ifdef MUTANT_child_answers
	/* DATA for a session of the parent's: the child does not know it */
	:: atomic { forked && adopted[PARENT] != NONE && adopted[CHILD] != adopted[PARENT] -> refuted = 1; check() }
#endif

	/* the responder */
	:: atomic {
		any(i, INITS);
		s = 0;
		do
		:: s < SESSIONS && of_init[s] != i -> s++
		:: else -> break
		od;
		if
		:: net_init[i] && s < SESSIONS -> ACCEPT(i, s) = 1
		:: net_init[i] && s == SESSIONS && sessions < SESSIONS ->
			of_init[sessions] = i; ACCEPT(i, sessions) = 1; sessions++
		:: else
		fi; forget() }
	:: atomic {
		any(s, SESSIONS); any(m, IDS); any(r, REQUESTS);
		if
		:: REQUEST(s, m, r) && RAN(s, m) == NONE ->
			assert(runs[r] == 0);
			runs[r]++; RAN(s, m) = r; REPLY(of_init[s], m, r) = 1
		:: REQUEST(s, m, r) && RAN(s, m) != NONE -> REPLY(of_init[s], m, RAN(s, m)) = 1
		:: else
		fi; forget() }
	od
}
