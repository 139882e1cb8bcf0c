__attribute__((weak)) long dgram_addr_display(void);
long dgram_addr_display(void)
{
	return -24;
}

__attribute__((weak)) long dgram_interface_candidates(void);
long dgram_interface_candidates(void)
{
	return -24;
}

__attribute__((weak)) long dgram_resolve(void);
long dgram_resolve(void)
{
	return -24;
}

__attribute__((weak)) long dgram_socket_getsockname(void);
long dgram_socket_getsockname(void)
{
	return -24;
}

__attribute__((weak)) long dgram_socket_bound(void);
long dgram_socket_bound(void)
{
	return -24;
}

__attribute__((weak)) long dgram_socket_unbound(void);
long dgram_socket_unbound(void)
{
	return -24;
}

__attribute__((weak)) long dgram_interface_index(void);
long dgram_interface_index(void)
{
	return -24;
}

__attribute__((weak)) long dgram_socket_join(void);
long dgram_socket_join(void)
{
	return -24;
}

__attribute__((weak)) long dgram_socket_close(void);
long dgram_socket_close(void)
{
	return -24;
}

__attribute__((weak)) long dgram_clock(void);
long dgram_clock(void)
{
	return -24;
}
