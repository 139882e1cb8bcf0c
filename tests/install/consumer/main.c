/* What a stranger's first program looks like to the linker. */
#include <dgram/dgram.h>
#include <stdio.h>

int main(void)
{
	puts(dgram_strerror(DGRAM_ERR_REFUSED));
	return 0;
}
