// A file over UDT (Gu and Grossman, 2007), with Debian's libudt: a peer for `cargo xtask bench udp`.
//
//   udt_upload server FOLDER MSS          prints "listening on 127.0.0.1:PORT", writes FOLDER/file
//   udt_upload client HOST PORT FILE MSS
//
// The stream carries the length of the file (8 bytes in the machine's own order: both sides are on
// one machine) and its bytes; the server answers with one byte when all of them are in the file.
#include <arpa/inet.h>
#include <udt/udt.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr int BLOCK = 256 * 1024;
// Room for ten milliseconds each way at every speed that this protocol reaches.
constexpr int WINDOW_BYTES = 64 * 1024 * 1024;
constexpr int SOCKET_BYTES = 4 * 1024 * 1024;

[[noreturn]] void fail(const char* what) {
    std::cerr << what << ": " << UDT::getlasterror().getErrorMessage() << std::endl;
    std::exit(1);
}

UDTSOCKET open_socket(int mss) {
    UDTSOCKET socket = UDT::socket(AF_INET, SOCK_STREAM, 0);
    int packets = WINDOW_BYTES / 1024;
    UDT::setsockopt(socket, 0, UDT_MSS, &mss, sizeof mss);
    UDT::setsockopt(socket, 0, UDT_FC, &packets, sizeof packets);
    UDT::setsockopt(socket, 0, UDT_SNDBUF, &WINDOW_BYTES, sizeof WINDOW_BYTES);
    UDT::setsockopt(socket, 0, UDT_RCVBUF, &WINDOW_BYTES, sizeof WINDOW_BYTES);
    UDT::setsockopt(socket, 0, UDP_SNDBUF, &SOCKET_BYTES, sizeof SOCKET_BYTES);
    UDT::setsockopt(socket, 0, UDP_RCVBUF, &SOCKET_BYTES, sizeof SOCKET_BYTES);
    return socket;
}

sockaddr_in address_of(const std::string& host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    return address;
}

void send_all(UDTSOCKET socket, const char* bytes, int length) {
    for (int sent = 0; sent < length;) {
        int now = UDT::send(socket, bytes + sent, length - sent, 0);
        if (now == UDT::ERROR) fail("cannot send");
        sent += now;
    }
}

void receive_all(UDTSOCKET socket, char* bytes, int length) {
    for (int received = 0; received < length;) {
        int now = UDT::recv(socket, bytes + received, length - received, 0);
        if (now == UDT::ERROR) fail("cannot receive");
        received += now;
    }
}

void serve(const std::string& folder, int mss) {
    UDTSOCKET listener = open_socket(mss);
    sockaddr_in address = address_of("127.0.0.1", 0);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    int size = sizeof address;
    if (UDT::bind(listener, any, size) == UDT::ERROR) fail("cannot bind");
    if (UDT::listen(listener, 1) == UDT::ERROR) fail("cannot listen");
    UDT::getsockname(listener, any, &size);
    std::cout << "listening on 127.0.0.1:" << ntohs(address.sin_port) << std::endl;
    UDTSOCKET peer = UDT::accept(listener, any, &size);
    if (peer == UDT::INVALID_SOCK) fail("cannot accept");
    std::uint64_t left = 0;
    receive_all(peer, reinterpret_cast<char*>(&left), sizeof left);
    std::ofstream file(folder + "/file", std::ios::binary);
    std::vector<char> buffer(BLOCK);
    while (left > 0) {
        int length = static_cast<int>(std::min<std::uint64_t>(left, BLOCK));
        receive_all(peer, buffer.data(), length);
        file.write(buffer.data(), length);
        left -= length;
    }
    file.close();
    send_all(peer, "!", 1);
    std::cout << "stored" << std::endl;
    char end;
    UDT::recv(peer, &end, 1, 0);  // until the client has closed
}

void upload(const std::string& host, int port, const std::string& path, int mss) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::uint64_t left = file.tellg();
    file.seekg(0);
    UDTSOCKET socket = open_socket(mss);
    sockaddr_in address = address_of(host, port);
    if (UDT::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == UDT::ERROR)
        fail("cannot connect");
    send_all(socket, reinterpret_cast<char*>(&left), sizeof left);
    std::vector<char> buffer(BLOCK);
    while (left > 0) {
        int length = static_cast<int>(std::min<std::uint64_t>(left, BLOCK));
        if (!file.read(buffer.data(), length)) fail("cannot read the file");
        send_all(socket, buffer.data(), length);
        left -= length;
    }
    char stored;
    receive_all(socket, &stored, 1);
    UDT::close(socket);
}

}  // namespace

int main(int count, char** words) {
    std::vector<std::string> arguments(words + 1, words + count);
    UDT::startup();
    if (arguments.size() == 3 && arguments[0] == "server") {
        serve(arguments[1], std::stoi(arguments[2]));
    } else if (arguments.size() == 5 && arguments[0] == "client") {
        upload(arguments[1], std::stoi(arguments[2]), arguments[3], std::stoi(arguments[4]));
    } else {
        std::cerr << "server FOLDER MSS | client HOST PORT FILE MSS" << std::endl;
        return 2;
    }
    std::_Exit(0);  // UDT::cleanup waits three seconds; nothing is left to be cleaned
}
