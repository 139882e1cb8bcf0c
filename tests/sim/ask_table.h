#ifndef SIM_ASK_TABLE_H
#define SIM_ASK_TABLE_H

/* Prints how long one question takes, by profile and loss. 0. */
int ask_table(void);

#endif
