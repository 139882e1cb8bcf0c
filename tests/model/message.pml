/* message.pml - one message in a session: that it is told the truth, that nobody waits for nothing, that both sides
 * count its credit alike.
 *
 * The network is a set that only grows, as in session.pml: what was sent arrives at any later time, any number of
 * times, or never. Each packet carries the whole message. Time is a choice. What is acknowledged stays so: an ACK
 * names all that was received, so what one ACK left out the next one says.
 *
 * Build with -DREQUEST for a REQUEST, else it is a SEND; -DMUTANT_<name> breaks one rule; -DREACH=n asks whether
 * situation n occurs.
 */

#define PACKETS 3
#ifdef REQUEST
#define IS_REQUEST true
#else
#define IS_REQUEST false
#endif

bit net_packet[PACKETS], net_ack[PACKETS], net_no, net_reply, net_accepted, net_cancel, net_reset;
bit net_cancel_ack, net_reset_ack, net_answer_ack;

/* The sender. timer: it will send again, the message, PULL, CANCEL or RESET. */
mtype = { exposed, delivered, ok, refused, unknown };
mtype outcome = exposed;
byte sent;
bit timer = 1, cancelling, resetting;

/* The receiver. accepted: it said so; pushing: it sends the answer until it is acknowledged. */
mtype = { unseen, taken, queued, answered_no, answered_ok };
mtype mark = unseen;
bit accepted, pushing, counted;

byte p;

inline acknowledge() { net_ack[p] = 1 }

/* A copy of what is seen draws what was said before. */
inline say_again()
{
	if
	:: mark == taken -> acknowledge()
	:: mark == queued -> acknowledge(); net_accepted = 1
	:: mark == answered_ok -> acknowledge(); net_reply = 1
	:: mark == answered_no && IS_REQUEST -> acknowledge(); net_no = 1
#ifdef MUTANT_refused_send_acknowledged
	:: mark == answered_no && !IS_REQUEST -> acknowledge(); net_no = 1
#else
	:: mark == answered_no && !IS_REQUEST -> net_no = 1
#endif
	fi
}

inline say_no()
{
	mark = answered_no; net_no = 1;
#ifndef MUTANT_no_after_accepted_not_pushed
	pushing = accepted
#endif
}

inline receive_packet()
{
	counted = 1;
	if
	:: mark == unseen && !IS_REQUEST -> mark = taken
	:: mark == unseen && IS_REQUEST -> mark = queued; accepted = 1
	:: mark == unseen && IS_REQUEST -> mark = answered_ok; net_reply = 1
	:: mark == unseen -> say_no()
	:: mark != unseen
	fi;
	say_again()
}

inline end_message(how)
{
	outcome = how; timer = resetting; cancelling = 0
}

/* Nobody waits for what nobody will send again. */
#define OWED (timer || mark == queued || pushing)

inline check()
{
	assert(outcome != delivered || mark == taken);
	assert(outcome != refused || mark == answered_no);
	assert(outcome != ok || mark == answered_ok);
	assert(outcome != exposed || OWED);
	assert(!cancelling || timer || mark != queued); /* CANCEL is reliable */
	assert(timer || outcome == exposed || counted); /* both sums agree once nothing is sent any more */
#ifdef REACH
	assert(!(REACH == 1 && outcome == delivered && sent > 1));
	assert(!(REACH == 2 && outcome == refused && cancelling == 0 && net_cancel && accepted));
	assert(!(REACH == 3 && outcome == unknown && net_reset_ack && !timer && !net_ack[0]));
	assert(!(REACH == 4 && outcome == ok && accepted && !pushing));
#endif
}

active proctype world()
{
	do
	:: atomic { outcome == exposed && timer && !cancelling && sent < PACKETS ->
		net_packet[sent] = 1; sent++; check() }
	:: atomic { IS_REQUEST && outcome == exposed && !cancelling && sent > 0 ->
		cancelling = 1; timer = 1; net_cancel = 1; check() }
	/* the deadline: the sender gives up, and says so */
	:: atomic { outcome == exposed && sent > 0 -> resetting = 1; net_reset = 1; end_message(unknown); check() }

	:: atomic { outcome == exposed ->
		if
		:: p = 0
		:: p = 1
		:: p = 2
		fi;
		if
		:: net_ack[p] && !IS_REQUEST -> end_message(delivered)
#ifdef MUTANT_ack_stops_the_timer
		:: net_ack[p] && IS_REQUEST && !cancelling -> timer = 0
#endif
		:: else
		fi; p = 0; check() }
	:: atomic { outcome == exposed && net_no -> net_answer_ack = pushing; end_message(refused); check() }
	:: atomic { outcome == exposed && net_reply -> net_answer_ack = pushing; end_message(ok); check() }
#ifdef MUTANT_accepted_ends_cancel
	:: atomic { outcome == exposed && net_accepted -> timer = 0; check() }
#else
	:: atomic { outcome == exposed && net_accepted && !cancelling -> timer = 0; check() }
#endif
#ifdef MUTANT_ack_ends_cancel
	:: atomic { outcome == exposed && cancelling && net_cancel_ack -> timer = 0; check() }
#endif
	:: atomic { resetting && net_reset_ack -> resetting = 0; timer = 0; check() }

	/* the receiver */
	:: atomic {
		if
		:: p = 0
		:: p = 1
		:: p = 2
		fi;
		if
		:: net_packet[p] -> receive_packet()
		:: else
		fi; p = 0; check() }
	:: atomic { net_cancel ->
#ifndef MUTANT_cancel_without_total
		counted = 1;
#endif
		net_cancel_ack = 1;
		if
		:: mark == unseen || mark == queued -> say_no()
		:: mark == answered_no -> net_no = 1
		:: mark == answered_ok -> net_reply = 1
		:: else
		fi; check() }
	:: atomic { net_reset ->
#ifndef MUTANT_reset_without_total
		counted = 1;
#endif
		net_reset_ack = 1;
		if
		:: mark == unseen -> mark = answered_no /* seen: nothing of it will be taken */
		:: else
		fi; check() }
	:: atomic { mark == queued -> mark = answered_ok; net_reply = 1; pushing = 1; check() }
	:: atomic { mark == queued -> say_no(); check() } /* it expired */
	:: atomic { pushing && net_answer_ack -> pushing = 0; check() }
	od
}
