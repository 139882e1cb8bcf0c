/* amplify.pml - cookies, confirmation, and how much leaves for an address that has proved nothing.
 *
 * Two addresses: OWN is the attacker's, where he reads what comes; VICTIM is another's, whose datagrams he can forge
 * and never sees. He sends what he likes, in any order, any number of times, and knows the ids and cookies that were
 * sent to OWN. The victim may be a client too: then its session is real.
 *
 * Sizes are the bytes of docs/WIRE.md: the smallest of what comes, the largest of what leaves.
 * -DMUTANT_<name> breaks a rule, -DREACH=n asks for a situation.
 */

#define OWN 0
#define VICTIM 1
#ifndef SESSIONS
#define SESSIONS 3 /* responder's ids, over all its lives */
#endif
#define HALF_OPEN 2
#ifndef SECRETS
#define SECRETS 3 /* that are used in turn */
#endif
#ifndef BOOTS
#define BOOTS 2
#endif
#define IDS 2     /* initiator ids that the attacker uses, from either address */
#define NONE 7

#define INIT_BYTES 256
#define ACCEPT_BYTES 148
#define COOKIE_BYTES 60
#define BUSY_BYTES 24
#define DATA_BYTES 29
#define NOSESSION_BYTES 28
#define REPLY_BYTES 1200

int left;          /* bytes that may still go to VICTIM while it is not proved: three times what came, less what left;
                    * never more than one INIT is worth, so that the numbers stay few */
bit proved[2];     /* what the responder thinks */
bit spoke[2];      /* the truth: who lives there sent DATA of a session that it knows */
byte caused;       /* datagrams that left for the last one that came */

/* The responder. */
byte sessions, boot, secret;
byte from[SESSIONS], init_of[SESSIONS] = NONE; /* id NONE: the victim's own */
#define VICTIMS_OWN 2
bit open[SESSIONS], confirmed[SESSIONS];
bit had[2 * SECRETS * BOOTS]; /* cookies that were sent there */
#define HAD(a, g, b) had[((a) * SECRETS + (g)) * BOOTS + (b)]
bit knows[SESSIONS];          /* ids that the attacker saw */
bit wants;                    /* the victim sent INIT of its own */
byte victims = NONE;          /* session that it adopted */

byte a, i, s, g, b, n, t;
bit verifies;
inline forget() { a = 0; i = 0; s = 0; g = 0; b = 0; n = 0; t = 0; verifies = 0; caused = 0 }

inline any(variable, below)
{
	variable = 0;
	do
	:: variable < (below) - 1 -> variable++
	:: break
	od
}

inline comes(bytes)
{
	if
	:: a == VICTIM && !proved[VICTIM] ->
		left = (left + 3 * bytes > 3 * INIT_BYTES -> 3 * INIT_BYTES : left + 3 * bytes)
	:: else
	fi
}

inline leaves(bytes, drawn_by)
{
	assert(bytes <= drawn_by); /* never larger */
	caused++;
	assert(caused <= 1);
	if
	:: a == VICTIM && !proved[VICTIM] -> left = left - bytes; assert(left >= 0)
	:: else
	fi
}

inline count_half_open() /* -> n */
{
	n = 0; t = 0;
	do
	:: t < SESSIONS -> n = n + (open[t] && !confirmed[t]); t++
	:: else -> break
	od
}

inline accept() /* session s, from address a */
{
	leaves(ACCEPT_BYTES, INIT_BYTES);
	if
	:: a == OWN -> knows[s] = 1
	:: a == VICTIM && init_of[s] == VICTIMS_OWN && wants && victims == NONE -> victims = s
	:: else
	fi
}

/* INIT from address a with id i, and a cookie that verifies or does not */
inline receive_init()
{
	comes(INIT_BYTES);
	s = 0;
	do
#ifdef MUTANT_copy_from_anywhere
	:: s < SESSIONS && !(open[s] && init_of[s] == i) -> s++
#else
	:: s < SESSIONS && !(open[s] && init_of[s] == i && from[s] == a) -> s++
#endif
	:: else -> break
	od;
	if
	:: s < SESSIONS -> accept()
	:: else ->
		count_half_open();
		if
#ifndef MUTANT_no_cookie
		:: n >= HALF_OPEN / 2 && !verifies ->
			leaves(COOKIE_BYTES, INIT_BYTES);
			HAD(a, secret, boot) = 1
#endif
		:: n >= HALF_OPEN && verifies -> /* in place of the oldest */
			s = 0;
			do
			:: !(open[s] && !confirmed[s]) -> s++
			:: else -> break
			od;
			open[s] = 0
		:: else
		fi;
		if
		:: caused == 0 && sessions < SESSIONS ->
			/* under load there is no entry for an address that can not read */
			assert(n < HALF_OPEN / 2 || HAD(a, secret, boot) || (secret > 0 && HAD(a, secret - 1, boot)));
			s = sessions; sessions++;
			open[s] = 1; from[s] = a; init_of[s] = i;
			accept()
		:: caused == 0 && sessions == SESSIONS && verifies -> leaves(BUSY_BYTES, INIT_BYTES)
		:: else
		fi
	fi
}

/* DATA for session s from address a; its trailer is right only if who made it knows both ids */
inline receive_data(right)
{
	comes(DATA_BYTES);
	if
#ifdef MUTANT_data_from_anywhere
	:: open[s] && right ->
#else
	:: open[s] && right && from[s] == a ->
#endif
		confirmed[s] = 1;
		assert(spoke[a] || a == OWN); /* an address is proved by who lives there */
		proved[a] = 1;
		left = (a == VICTIM -> 0 : left);
		leaves(REPLY_BYTES, 65535)
	:: open[s] && !right && from[s] == a /* damaged, or forged */
	:: else ->
#ifdef MUTANT_nosession_padded
		leaves(NOSESSION_BYTES + 8, DATA_BYTES)
#else
		leaves(NOSESSION_BYTES, DATA_BYTES)
#endif
	fi
}

inline marks()
{
#ifdef REACH
	assert(!(REACH == 1 && proved[VICTIM] && spoke[VICTIM]));
	assert(!(REACH == 2 && proved[OWN] && HAD(OWN, 1, 1) && boot == 1));
	assert(!(REACH == 3 && !proved[VICTIM] && HAD(VICTIM, 0, 0) && HAD(VICTIM, 1, 1)));
	assert(!(REACH == 4 && confirmed[0] && confirmed[1] && confirmed[2]));
#endif
	skip
}

active proctype world()
{
	do
	/* the attacker: INIT from either address, with the best cookie that he has */
	:: atomic {
		any(a, 2); any(i, IDS); any(g, SECRETS); any(b, BOOTS);
		if /* from OWN, and with the mutants from wherever */
		:: HAD(OWN, g, b) ->
			verifies = (a == OWN && b == boot && g <= secret && g + 1 >= secret);
#ifdef MUTANT_cookie_without_address
			verifies = (b == boot && g <= secret && g + 1 >= secret);
#endif
#ifdef MUTANT_cookie_without_boot
			verifies = (a == OWN && g <= secret && g + 1 >= secret);
#endif
#ifdef MUTANT_cookie_for_ever
			verifies = (a == OWN && b == boot);
#endif
			receive_init()
		:: receive_init()
		fi; marks(); forget() }
	/* DATA of a session whose ids he knows, or guesses wrong */
	:: atomic { sessions > 0 ->
		any(a, 2); any(s, sessions);
		receive_data((knows[s] && init_of[s] != VICTIMS_OWN)); marks(); forget() }

	/* the victim, where it is a client */
	:: atomic { a = VICTIM; i = VICTIMS_OWN;
		wants = 1;
		any(g, SECRETS);
		verifies = (HAD(VICTIM, g, boot) && g <= secret && g + 1 >= secret);
		receive_init(); marks(); forget() }
	:: atomic { victims != NONE -> a = VICTIM; s = victims;
		spoke[VICTIM] = 1; receive_data(true); marks(); forget() }

	/* time, and a restart. What the responder thought of an address goes with it. */
	:: atomic { secret < SECRETS - 1 -> secret++ }
	:: atomic {
		any(s, SESSIONS);
		if
		:: open[s] && !confirmed[s] -> open[s] = 0
		:: else
		fi; forget() }
#ifdef MUTANT_accept_repeated
	:: atomic {
		any(s, SESSIONS);
		if
		:: open[s] && !confirmed[s] -> a = from[s]; leaves(ACCEPT_BYTES, INIT_BYTES)
		:: else
		fi; forget() }
#endif
#ifdef MUTANT_responder_speaks_first
	:: atomic {
		any(s, SESSIONS);
		if
		:: open[s] && !confirmed[s] -> a = from[s]; leaves(REPLY_BYTES, 65535)
		:: else
		fi; forget() }
#endif
	:: atomic { boot < BOOTS - 1 ->
		boot++;
		s = 0;
		do
		:: s < SESSIONS -> open[s] = 0; confirmed[s] = 0; s++
		:: else -> break
		od;
		proved[OWN] = 0; proved[VICTIM] = 0; forget() }
	od
}
