"""mutate.py NAME FILE: prints FILE with one mistake in it, to see that the simulation finds it."""
import sys

MUTANTS = {
    "no_cap": ("return opt->timeout_max;", "return wait / 1000 * opt->backoff_milli;"),
    "no_growth": ("a->wait = grown(a->wait, &a->opt);", "grown(a->wait, &a->opt);"),
    "doubt_forgotten": ("at->silent |= at->open;", "at->silent = false;"),
    "open_try_refused": ("if (a->addrs[i].open || a->addrs[i].silent)", "if (a->addrs[i].open && !a->refusal)"),
    "jitter_too_low": ("wait - wait / 10 +", "wait - wait / 9 +"),
    "deadline_late": ("if (!a->ended && a->now >= a->opt.deadline)",
                      "if (!a->ended && a->now >= later(a->opt.deadline, 20 * DGRAM_MS))"),
    "one_too_many": ("a->resends == a->opt.retries)", "a->resends > a->opt.retries)"),
    "stranger_answers": ("if (!at || !at->tries) {", "if (!at) {"),
    "answer_after_end": ("if (a->ended || !a->tries)", "if (!a->tries)"),
    "clock_of_32_bits": ("if (now > a->now)", "if ((int32_t)(now / DGRAM_MS) > (int32_t)(a->now / DGRAM_MS))"),
}

old, new = MUTANTS[sys.argv[1]]
with open(sys.argv[2], encoding="utf-8") as file:
    text = file.read()
if text.count(old) != 1:
    sys.exit(f"{sys.argv[1]}: its place in {sys.argv[2]} is not there, or not alone")
print(text.replace(old, new), end="")
