__attribute__((weak)) int dgram_ask(void);
int dgram_ask(void)
{
	return -24;
}
