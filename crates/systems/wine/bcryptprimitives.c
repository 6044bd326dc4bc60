/* bcryptprimitives.dll, which Wine 8 lacks: Rust's standard library takes its random numbers
   from it. */
#include <windows.h>
#include <ntsecapi.h>

BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T length)
{
    /* RtlGenRandom counts in 32 bits. */
    while (length > 0) {
        ULONG piece = length < 0x10000000 ? (ULONG)length : 0x10000000;
        if (!RtlGenRandom(bytes, piece))
            return FALSE;
        bytes += piece;
        length -= piece;
    }
    return TRUE;
}
