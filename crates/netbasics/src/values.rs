//! Values: what an address, a port, a name or an error *means*. No sockets and no system calls, so this
//! storey also runs where there is no network, such as in a page of the book (WebAssembly).

pub mod address;
pub mod escape;
pub mod exit;
pub mod file_name;
pub mod os_error;
pub mod port;
