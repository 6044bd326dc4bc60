/* getsockopt as Windows has it. Wine 8 refuses to tell IPV6_V6ONLY of a socket of IPv4; Windows
   tells it, and quinn-udp asks every socket. The linker sends every call here (`--wrap`), and
   whatever is not this question passes through. */
#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>

int WINAPI __real_getsockopt(SOCKET s, int level, int option, char *value, int *length);

int WINAPI __wrap_getsockopt(SOCKET s, int level, int option, char *value, int *length)
{
    int result = __real_getsockopt(s, level, option, value, length);
    if (result != 0 && level == IPPROTO_IPV6 && option == IPV6_V6ONLY
        && WSAGetLastError() == WSAEOPNOTSUPP) {
        memset(value, 0, *length);
        result = 0;
    }
    return result;
}
