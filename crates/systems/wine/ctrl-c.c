/* ctrl-c PROGRAM [ARGUMENT]...: runs a program in a console of its own, and presses Ctrl-C there
   when our standard input ends. Ends when the program does, with its exit code.

   A program that runs without a terminal has no console, and Ctrl-C is an event of a console that
   reaches every program attached to it. So the program gets one that is not shown; we attach
   ourselves to it, become deaf to the event and raise it. */
#include <stdio.h>
#include <windows.h>

static int fail(const char *what)
{
    fprintf(stderr, "ctrl-c: cannot %s: error %lu\n", what, GetLastError());
    return 120;
}

/* The rest of our own command line: behind our name, which may stand in quotes. */
static wchar_t *command_line_of_program(void)
{
    wchar_t *rest = GetCommandLineW();
    wchar_t end = *rest == '"' ? '"' : ' ';
    for (rest++; *rest && *rest != end; rest++) {}
    for (rest += *rest == '"'; *rest == ' '; rest++) {}
    return rest;
}

int main(void)
{
    SECURITY_ATTRIBUTES inherited = { sizeof inherited, NULL, TRUE };
    STARTUPINFOW start = { .cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES };
    start.hStdInput = CreateFileW(L"NUL", GENERIC_READ, 0, &inherited, OPEN_EXISTING, 0, NULL);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    PROCESS_INFORMATION program;
    if (!CreateProcessW(NULL, command_line_of_program(), NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL,
                        NULL, &start, &program))
        return fail("start the program");

    char ignored;
    DWORD count;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), &ignored, 1, &count, NULL) && count > 0) {}

    FreeConsole();
    if (WaitForSingleObject(program.hProcess, 0) == WAIT_TIMEOUT) {
        if (!AttachConsole(program.dwProcessId))
            return fail("attach to the program's console");
        SetConsoleCtrlHandler(NULL, TRUE);
        if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
            return fail("raise the event");
    }
    WaitForSingleObject(program.hProcess, INFINITE);
    DWORD code;
    GetExitCodeProcess(program.hProcess, &code);
    return (int)code;
}
