/* getsockopt as Windows has it. Wine 8 refuses to tell IPV6_V6ONLY of a socket of IPv4; Windows
   tells it, and quinn-udp asks every socket. The linker puts this function in place of the import
   (`--wrap`); everything else passes through. */
#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>

typedef int (WINAPI *getsockopt_t)(SOCKET, int, int, char *, int *);

/* The slot of the import table that the real function is called through. */
extern getsockopt_t __real___imp_getsockopt;

static int WINAPI as_windows(SOCKET s, int level, int option, char *value, int *length)
{
    int result = __real___imp_getsockopt(s, level, option, value, length);
    if (result != 0 && level == IPPROTO_IPV6 && option == IPV6_V6ONLY
        && WSAGetLastError() == WSAEOPNOTSUPP) {
        memset(value, 0, *length);
        result = 0;
    }
    return result;
}

getsockopt_t __wrap___imp_getsockopt = as_windows;
